-- The same, and it has handed out the last of its own: its next value is where the other one began, which is not its own.
CREATE SEQUENCE docs_seq;
CREATE TABLE docs (id bigint PRIMARY KEY DEFAULT nextval('docs_seq'), note text);
CREATE SEQUENCE imported_seq START 1000;
CREATE VIEW imported AS SELECT * FROM docs;
ALTER VIEW imported ALTER id SET DEFAULT nextval('imported_seq');
INSERT INTO docs SELECT generate_series(1, 999);
INSERT INTO imported (note) SELECT 'imported' FROM generate_series(1, 100);
SELECT setval('docs_seq', 999);
