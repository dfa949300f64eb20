-- An integer column loaded at its very end: not moved there, because inserts that work now would fail.
CREATE TABLE clicks (id serial PRIMARY KEY, url text);
INSERT INTO clicks (id) SELECT 2147483600 + n FROM generate_series(0, 47) AS n;
