-- Partitions by id, all of them full: there is none for the next value.
CREATE TABLE jobs (id serial PRIMARY KEY, note text) PARTITION BY RANGE (id);
CREATE TABLE jobs_0 PARTITION OF jobs FOR VALUES FROM (1) TO (1000);
CREATE TABLE jobs_1 PARTITION OF jobs FOR VALUES FROM (1000) TO (2000);
INSERT INTO jobs (id) SELECT generate_series(1, 1999);
SELECT setval('jobs_id_seq', 1999);
