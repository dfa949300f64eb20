-- A serial column became bigint and its sequence did not: it stays at the end of integer.
CREATE TABLE hits (id serial PRIMARY KEY, note text);
ALTER TABLE hits ALTER id TYPE bigint;
INSERT INTO hits (id) SELECT 2147483600 + n FROM generate_series(0, 47) AS n;
INSERT INTO hits (id) VALUES (3000000000);
SELECT setval('hits_id_seq', 2147483647);
