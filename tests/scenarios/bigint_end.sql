-- A bigint column loaded at its very end: no move, while all values before it are free.
CREATE TABLE posts (id bigserial PRIMARY KEY, note text);
INSERT INTO posts (id) SELECT 9223372036854775800 + n FROM generate_series(0, 7) AS n;
