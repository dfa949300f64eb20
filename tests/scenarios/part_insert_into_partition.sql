-- An insert straight into a partition draws from the identity of the partitioned table (17 and later).
CREATE TABLE readings (id bigint GENERATED ALWAYS AS IDENTITY, hour integer, PRIMARY KEY (id, hour)) PARTITION BY RANGE (hour);
CREATE TABLE readings_am PARTITION OF readings FOR VALUES FROM (0) TO (12);
INSERT INTO readings_am (id, hour) OVERRIDING SYSTEM VALUE SELECT n, 5 FROM generate_series(1, 100) AS n;
