-- A gap that is too large to be called through: the owner locks.
CREATE TABLE items (id serial PRIMARY KEY, note text);
INSERT INTO items (id) SELECT generate_series(1, 25000);
