-- A serial column loaded with explicit ids: the sequence has not been called yet.
CREATE TABLE orders (id serial PRIMARY KEY, total numeric);
INSERT INTO orders (id, total) SELECT n, n FROM generate_series(1, 100) AS n;
