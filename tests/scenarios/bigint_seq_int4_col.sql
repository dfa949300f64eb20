-- A bigint sequence feeds an integer column that is full: it is the column that sets the limit.
CREATE SEQUENCE clicks_seq;
CREATE TABLE clicks (id integer PRIMARY KEY DEFAULT nextval('clicks_seq'), url text);
INSERT INTO clicks (id) SELECT 2147483600 + n FROM generate_series(0, 47) AS n;
