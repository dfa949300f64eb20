-- One partition is a foreign table: what it holds is not known, so nothing is said of the sequence.
CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER nowhere;
CREATE TABLE readings (id serial, hour integer, note text) PARTITION BY RANGE (hour);
CREATE TABLE readings_am PARTITION OF readings (UNIQUE (id)) FOR VALUES FROM (0) TO (12);
CREATE FOREIGN TABLE readings_pm PARTITION OF readings FOR VALUES FROM (12) TO (24) SERVER elsewhere;
INSERT INTO readings (id, hour) SELECT n, 5 FROM generate_series(1, 100) AS n;
