-- A partitioned table names its sequence as text, and its partitions copy the text.
CREATE SEQUENCE jobs_seq;
CREATE TABLE jobs (id bigint PRIMARY KEY DEFAULT nextval('jobs_seq'::text), note text) PARTITION BY RANGE (id);
CREATE TABLE jobs_low PARTITION OF jobs FOR VALUES FROM (0) TO (51);
CREATE TABLE jobs_high PARTITION OF jobs FOR VALUES FROM (51) TO (1000);
INSERT INTO jobs (id) SELECT generate_series(1, 100);
