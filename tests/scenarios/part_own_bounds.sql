-- A partition has a sequence of its own, and takes by itself what lies within its bounds: the sequence has left them.
CREATE TABLE jobs (id integer NOT NULL, note text) PARTITION BY RANGE (id);
CREATE TABLE jobs_0 (id serial PRIMARY KEY, note text);
INSERT INTO jobs_0 (id) SELECT generate_series(1, 99);
SELECT setval('jobs_0_id_seq', 99);
ALTER TABLE jobs ATTACH PARTITION jobs_0 FOR VALUES FROM (1) TO (100);
