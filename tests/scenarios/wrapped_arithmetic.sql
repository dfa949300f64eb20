-- The default calculates with the value: listed with its expression, and never guessed.
CREATE SEQUENCE shards_seq;
CREATE TABLE shards (id bigint PRIMARY KEY DEFAULT nextval('shards_seq') * 1000 + 7, note text);
INSERT INTO shards (id) SELECT n * 1000 + 7 FROM generate_series(1, 100) AS n;
