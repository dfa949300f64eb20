-- The serial is the second column of the primary key, so no index leads with it.
CREATE TABLE lines (tenant integer, id serial, note text, PRIMARY KEY (tenant, id));
INSERT INTO lines (tenant, id) SELECT 1, generate_series(1, 100);
