-- The serial is not the primary key, but unique.
CREATE TABLE cases (code text PRIMARY KEY, number serial UNIQUE);
INSERT INTO cases (code, number) SELECT 'c' || n, n FROM generate_series(1, 100) AS n;
