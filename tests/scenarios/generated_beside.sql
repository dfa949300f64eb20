-- A generated column beside the serial: its expression holds a column, and is no default.
CREATE TABLE towns (id serial PRIMARY KEY, twice bigint GENERATED ALWAYS AS (id * 2) STORED, note text);
INSERT INTO towns (id) SELECT generate_series(1, 100);
