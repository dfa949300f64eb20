-- setval(…, 100, false): the next value is 100 itself, and row 100 is there.
CREATE TABLE visits (id serial PRIMARY KEY, note text);
INSERT INTO visits (id) SELECT generate_series(1, 100);
SELECT setval('visits_id_seq', 100, false);
