-- A child takes the id of its parent by currval(): what lies ahead in it, the sequence hands out for both.
CREATE SEQUENCE ids;
CREATE TABLE parents (id bigint PRIMARY KEY DEFAULT nextval('ids'), note text);
CREATE TABLE children (id bigint PRIMARY KEY DEFAULT currval('ids'), note text);
CREATE TABLE pets (id integer UNIQUE DEFAULT currval('ids'::text), note text);
INSERT INTO children (id) SELECT generate_series(1, 100);
INSERT INTO pets (id) SELECT generate_series(1, 120);
