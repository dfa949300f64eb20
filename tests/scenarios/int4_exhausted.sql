-- An integer column loaded to its very end: moved there, so that the next insert says so instead of starting at 1.
CREATE TABLE clicks (id serial PRIMARY KEY, url text);
INSERT INTO clicks (id) SELECT 2147483600 + n FROM generate_series(0, 47) AS n;
