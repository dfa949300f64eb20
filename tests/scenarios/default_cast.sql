-- The default casts the value, which changes nothing about it.
CREATE SEQUENCE notes_seq;
CREATE TABLE notes (id integer PRIMARY KEY DEFAULT nextval('notes_seq')::integer, note text);
INSERT INTO notes (id) SELECT generate_series(1, 100);
