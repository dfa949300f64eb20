-- An oid column that is full from the next value on: moved to its end, like any other.
CREATE SEQUENCE blobs_seq;
CREATE TABLE blobs (id oid PRIMARY KEY DEFAULT nextval('blobs_seq'), note text);
INSERT INTO blobs (id) SELECT n::oid FROM generate_series(4294967200, 4294967295) AS n;
SELECT setval('blobs_seq', 4294967199);
