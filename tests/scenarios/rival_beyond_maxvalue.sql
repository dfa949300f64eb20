-- A sequence ends where another one begins, and says so itself: without its MAXVALUE it would hand out the other's values.
CREATE SEQUENCE q MAXVALUE 1000;
CREATE TABLE docs (id int PRIMARY KEY DEFAULT nextval('q'), x int);
CREATE SEQUENCE z MINVALUE 1001 MAXVALUE 2000;
CREATE VIEW imported AS SELECT * FROM docs;
ALTER VIEW imported ALTER id SET DEFAULT nextval('z');
INSERT INTO docs (id) SELECT generate_series(1, 1000);
INSERT INTO imported (x) SELECT 1 FROM generate_series(1, 500);
SELECT setval('q', 1000);
