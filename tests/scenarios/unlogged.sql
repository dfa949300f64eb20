-- An unlogged table.
CREATE UNLOGGED TABLE queue (id serial PRIMARY KEY, note text);
INSERT INTO queue (id) SELECT generate_series(1, 100);
