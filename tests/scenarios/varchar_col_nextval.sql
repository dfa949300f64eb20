-- The column is a varchar, where '99' sorts after '100': listed with its type, and never guessed.
CREATE SEQUENCE codes_seq;
CREATE TABLE codes (id varchar(20) PRIMARY KEY DEFAULT nextval('codes_seq'), note text);
INSERT INTO codes (id) SELECT n FROM generate_series(1, 100) AS n;
