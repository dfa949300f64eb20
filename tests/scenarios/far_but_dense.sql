-- A long way to the data, and many rows there: no outlier, so it is followed.
CREATE TABLE trials (id serial PRIMARY KEY, note text);
INSERT INTO trials (id) SELECT generate_series(1, 100);
INSERT INTO trials (id) SELECT generate_series(999999900, 999999999);
SELECT setval('trials_id_seq', 100);
