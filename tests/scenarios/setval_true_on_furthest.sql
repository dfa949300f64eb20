-- setval(…, 100): as a repair leaves it.
CREATE TABLE visits (id serial PRIMARY KEY, note text);
INSERT INTO visits (id) SELECT generate_series(1, 100);
SELECT setval('visits_id_seq', 100);
