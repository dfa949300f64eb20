-- The next ids are free, and the collision comes later: the gap says how far, the inserts how soon.
CREATE TABLE visits (id serial PRIMARY KEY, note text);
INSERT INTO visits (id) SELECT generate_series(51, 100);
SELECT setval('visits_id_seq', 10);
