-- A numeric column without precision, as migrations from other databases leave it.
CREATE SEQUENCE assets_seq;
CREATE TABLE assets (id numeric PRIMARY KEY DEFAULT nextval('assets_seq'), note text);
INSERT INTO assets (id) SELECT generate_series(1, 100);
