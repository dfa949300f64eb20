-- A late-bound name with letters beyond ASCII, in a database whose locale knows only ASCII.
CREATE SEQUENCE größe_seq;
CREATE TABLE größen (id integer PRIMARY KEY DEFAULT nextval('größe_seq'::text), note text);
INSERT INTO größen (id) SELECT generate_series(1, 7);
