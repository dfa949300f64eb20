-- A row stands alone, within the max_jump that was given.
CREATE TABLE trials (id serial PRIMARY KEY, note text);
INSERT INTO trials (id) SELECT generate_series(1, 100);
INSERT INTO trials (id) VALUES (999999999);
SELECT setval('trials_id_seq', 100);
