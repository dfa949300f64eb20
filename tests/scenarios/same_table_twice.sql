-- Two columns of one table draw from one sequence: the furthest of both counts.
CREATE SEQUENCE stamps_seq;
CREATE TABLE stamps (id bigint PRIMARY KEY DEFAULT nextval('stamps_seq'), mark bigint UNIQUE DEFAULT nextval('stamps_seq'), note text);
INSERT INTO stamps (id, mark) SELECT n, n + 100 FROM generate_series(1, 100) AS n;
