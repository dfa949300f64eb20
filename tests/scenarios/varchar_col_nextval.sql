-- The column is a varchar that holds integers as nextval() gives them, and other texts that it never gives.
CREATE SEQUENCE codes_seq;
CREATE TABLE codes (id varchar(20) PRIMARY KEY DEFAULT nextval('codes_seq'), note text);
INSERT INTO codes (id) SELECT n FROM generate_series(1, 100) AS n;
INSERT INTO codes (id) VALUES ('0555'), ('+7'), (' 8'), ('A-900'), ('99999999999999999999'), ('1e5'), ('');
