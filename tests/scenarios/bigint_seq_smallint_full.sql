-- A bigint sequence has filled a smallint column.
CREATE SEQUENCE bins_seq;
CREATE TABLE bins (id smallint PRIMARY KEY DEFAULT nextval('bins_seq'), note text);
INSERT INTO bins (id) SELECT generate_series(1, 32767);
SELECT setval('bins_seq', 32767);
