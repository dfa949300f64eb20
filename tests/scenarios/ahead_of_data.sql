-- The sequence is ahead of the rows, as it is after deletes and rollbacks: healthy.
CREATE TABLE sessions (id serial PRIMARY KEY, token text);
INSERT INTO sessions (id) SELECT generate_series(1, 100);
SELECT setval('sessions_id_seq', 500);
