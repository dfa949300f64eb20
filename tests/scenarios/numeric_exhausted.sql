-- A numeric(3) column at 999: the bigint sequence goes on, and the column cannot follow.
CREATE SEQUENCE rows_seq;
CREATE TABLE shelves (id numeric(3) PRIMARY KEY DEFAULT nextval('rows_seq'), note text);
INSERT INTO shelves (id) SELECT generate_series(900, 999);
SELECT setval('rows_seq', 999);
