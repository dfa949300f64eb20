-- Called up to 99, and row 100 is there: the last_value that a naive check compares is one less than the id.
CREATE TABLE visits (id serial PRIMARY KEY, note text);
INSERT INTO visits (id) SELECT generate_series(1, 100);
SELECT setval('visits_id_seq', 99);
