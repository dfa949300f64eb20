-- A view draws from a sequence of its own, which is past the data: moved there as well, each would take the other one's values.
CREATE SEQUENCE docs_seq START 10;
CREATE TABLE docs (id integer PRIMARY KEY DEFAULT nextval('docs_seq'), note text);
CREATE SEQUENCE imported_seq;
CREATE VIEW imported AS SELECT * FROM docs;
ALTER VIEW imported ALTER id SET DEFAULT nextval('imported_seq');
INSERT INTO imported (note) SELECT 'imported' FROM generate_series(1, 600);
