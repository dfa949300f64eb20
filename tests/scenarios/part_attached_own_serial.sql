-- A table with a serial of its own was attached as a partition: inserts draw from either sequence.
CREATE TABLE measures (id serial, kind integer, PRIMARY KEY (id, kind)) PARTITION BY RANGE (kind);
CREATE TABLE measures_few (id serial, kind integer, PRIMARY KEY (id, kind));
ALTER TABLE measures ATTACH PARTITION measures_few FOR VALUES FROM (0) TO (10);
INSERT INTO measures (id, kind) SELECT n, kind FROM generate_series(1, 100) AS n, (VALUES (5), (6)) AS kinds (kind);
