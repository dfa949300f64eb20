-- A name longer than 63 bytes is cut off, in a default as where the sequence was made; within no letter.
CREATE SEQUENCE aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabbbb;
CREATE TABLE notes (id bigint PRIMARY KEY DEFAULT nextval('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabbbbbbbbbb'::text), note text);
INSERT INTO notes (id) SELECT generate_series(1, 100);
CREATE SEQUENCE "ééééééééééééééééééééééééééééééé";
CREATE TABLE cafés (id bigint PRIMARY KEY DEFAULT nextval('public."éééééééééééééééééééééééééééééééééééééééé"'::text), note text);
INSERT INTO cafés (id) SELECT generate_series(1, 10);
