-- A CHECK constraint of a form that is not read, and no value is free before the furthest: the sequence is moved past it.
CREATE TABLE codes (id serial PRIMARY KEY CHECK (length(id::text) <= 3), note text);
INSERT INTO codes (id) SELECT generate_series(1, 200);
