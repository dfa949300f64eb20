-- A detached partition goes on drawing from the sequence of the table that it was part of.
CREATE TABLE readings (id serial, hour integer, PRIMARY KEY (id, hour)) PARTITION BY RANGE (hour);
CREATE TABLE readings_am PARTITION OF readings FOR VALUES FROM (0) TO (12);
CREATE TABLE readings_pm PARTITION OF readings FOR VALUES FROM (12) TO (24);
INSERT INTO readings (id, hour) SELECT n, 5 FROM generate_series(1, 50) AS n;
INSERT INTO readings (id, hour) SELECT n, 15 FROM generate_series(51, 100) AS n;
ALTER TABLE readings DETACH PARTITION readings_pm;
