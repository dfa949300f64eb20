-- The default belongs to a view's column: explained, because a view stores nothing.
CREATE SEQUENCE papers_seq;
CREATE TABLE papers (id bigint PRIMARY KEY, note text);
CREATE VIEW new_papers AS SELECT id, note FROM papers;
ALTER VIEW new_papers ALTER id SET DEFAULT nextval('papers_seq');
INSERT INTO papers (id) SELECT generate_series(1, 100);
