-- A late-bound name with spaces around its dot.
CREATE SEQUENCE spaced_seq;
CREATE TABLE spaced (id integer PRIMARY KEY DEFAULT nextval('public . spaced_seq'::text), note text);
INSERT INTO spaced (id) SELECT generate_series(1, 7);
