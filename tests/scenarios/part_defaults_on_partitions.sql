-- Only the partitions have a default: they share a sequence, and each counts.
CREATE SEQUENCE readings_seq;
CREATE TABLE readings (id bigint, hour integer, PRIMARY KEY (id, hour)) PARTITION BY RANGE (hour);
CREATE TABLE readings_am PARTITION OF readings (id DEFAULT nextval('readings_seq')) FOR VALUES FROM (0) TO (12);
CREATE TABLE readings_pm PARTITION OF readings (id DEFAULT nextval('readings_seq')) FOR VALUES FROM (12) TO (24);
INSERT INTO readings (id, hour) SELECT n, 5 FROM generate_series(51, 100) AS n;
INSERT INTO readings (id, hour) SELECT n, 15 FROM generate_series(1, 50) AS n;
