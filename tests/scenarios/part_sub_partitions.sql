-- Partitions of partitions: the largest id lies in the deepest one.
CREATE TABLE readings (id serial, hour integer, site text, PRIMARY KEY (id, hour, site)) PARTITION BY RANGE (hour);
CREATE TABLE readings_am PARTITION OF readings FOR VALUES FROM (0) TO (12);
CREATE TABLE readings_pm PARTITION OF readings FOR VALUES FROM (12) TO (24) PARTITION BY LIST (site);
CREATE TABLE readings_pm_north PARTITION OF readings_pm FOR VALUES IN ('north');
INSERT INTO readings (id, hour, site) SELECT n, 5, 'north' FROM generate_series(1, 50) AS n;
INSERT INTO readings (id, hour, site) SELECT n, 15, 'north' FROM generate_series(51, 100) AS n;
