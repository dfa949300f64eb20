-- A smallint and a bigint column share a sequence: no move past the larger ids, which would leave none for the narrow column.
CREATE SEQUENCE things_seq;
CREATE TABLE small_things (id smallint PRIMARY KEY DEFAULT nextval('things_seq'), note text);
CREATE TABLE big_things (id bigint PRIMARY KEY DEFAULT nextval('things_seq'), note text);
INSERT INTO small_things (id) SELECT generate_series(1, 100);
INSERT INTO big_things (id) SELECT generate_series(32000, 33000);
