-- Steps of 50 lead over the value where another sequence begins: the step after the last of its own is the other one's value.
CREATE SEQUENCE docs_seq INCREMENT 50;
CREATE TABLE docs (id bigint PRIMARY KEY DEFAULT nextval('docs_seq'), note text);
CREATE SEQUENCE imported_seq START 1000;
CREATE VIEW imported AS SELECT * FROM docs;
ALTER VIEW imported ALTER id SET DEFAULT nextval('imported_seq');
INSERT INTO docs (note) SELECT 'own' FROM generate_series(1, 20);
INSERT INTO imported (note) SELECT 'imported' FROM generate_series(1, 101);
SELECT setval('docs_seq', 1, false);
