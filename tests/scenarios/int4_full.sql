-- A serial that has given its last value.
CREATE TABLE hits (id serial PRIMARY KEY, note text);
INSERT INTO hits (id) VALUES (2147483646), (2147483647);
SELECT setval('hits_id_seq', 2147483647);
