-- Ids were given by the sequence, and then updated.
CREATE TABLE towns (id serial PRIMARY KEY, note text);
INSERT INTO towns (note) SELECT 'old' FROM generate_series(1, 100);
UPDATE towns SET id = id + 100;
