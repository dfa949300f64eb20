-- A row stands alone, and is followed because somebody said so.
CREATE TABLE trials (id serial PRIMARY KEY, note text);
INSERT INTO trials (id) SELECT generate_series(1, 100);
INSERT INTO trials (id) VALUES (999999999);
SELECT setval('trials_id_seq', 100);
