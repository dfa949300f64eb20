-- setval(…, 101, false): the next value is the first free one.
CREATE TABLE visits (id serial PRIMARY KEY, note text);
INSERT INTO visits (id) SELECT generate_series(1, 100);
SELECT setval('visits_id_seq', 101, false);
