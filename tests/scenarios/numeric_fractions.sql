-- A numeric column with digits behind the point, and a row between two whole numbers.
CREATE SEQUENCE chapters_seq;
CREATE TABLE chapters (id numeric(10,2) PRIMARY KEY DEFAULT nextval('chapters_seq'), note text);
INSERT INTO chapters (id) SELECT generate_series(1, 100);
INSERT INTO chapters (id) VALUES (100.5);
