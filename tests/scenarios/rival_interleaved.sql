-- Two sequences of one column take turns by their steps, and never meet: neither ends where the other one begins.
CREATE SEQUENCE odd_seq INCREMENT 2 START 1;
CREATE SEQUENCE even_seq INCREMENT 2 START 2;
CREATE TABLE docs (id bigint PRIMARY KEY DEFAULT nextval('odd_seq'), note text);
CREATE VIEW imported AS SELECT * FROM docs;
ALTER VIEW imported ALTER id SET DEFAULT nextval('even_seq');
INSERT INTO docs (note) VALUES ('own');
INSERT INTO imported (note) SELECT 'imported' FROM generate_series(1, 100);
SELECT setval('odd_seq', 1, false);
