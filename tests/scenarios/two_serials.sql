-- Two serial columns in one table: each has its own sequence, and the second no index.
CREATE TABLE receipts (id serial PRIMARY KEY, number serial, note text);
INSERT INTO receipts (id, number) SELECT n, n + 100 FROM generate_series(1, 100) AS n;
