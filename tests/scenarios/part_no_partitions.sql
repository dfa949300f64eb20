-- A partitioned table without a single partition.
CREATE TABLE readings (id serial, hour integer, PRIMARY KEY (id, hour)) PARTITION BY LIST (hour);
