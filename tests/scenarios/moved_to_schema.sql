-- The table was moved to another schema, and took its sequence along.
CREATE SCHEMA archive;
CREATE TABLE persons (id serial PRIMARY KEY, note text);
ALTER TABLE persons SET SCHEMA archive;
INSERT INTO archive.persons (id) SELECT generate_series(1, 100);
