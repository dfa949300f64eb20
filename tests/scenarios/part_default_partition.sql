-- The largest ids landed in the DEFAULT partition.
CREATE TABLE readings (id serial, hour integer, PRIMARY KEY (id, hour)) PARTITION BY LIST (hour);
CREATE TABLE readings_5 PARTITION OF readings FOR VALUES IN (5);
CREATE TABLE readings_rest PARTITION OF readings DEFAULT;
INSERT INTO readings (id, hour) SELECT n, 5 FROM generate_series(1, 50) AS n;
INSERT INTO readings (id, hour) SELECT n, 99 FROM generate_series(51, 100) AS n;
