-- The same table in two schemas, with different ids.
CREATE SCHEMA east;
CREATE SCHEMA west;
CREATE TABLE east.items (id serial PRIMARY KEY, name text);
CREATE TABLE west.items (id serial PRIMARY KEY, name text);
INSERT INTO east.items (id) SELECT generate_series(1, 100);
INSERT INTO west.items (id) SELECT generate_series(1, 200);
