-- A column of type oid, as of tables that hold large objects: 0 to 2^32 - 1.
CREATE SEQUENCE files_seq;
CREATE TABLE files (id oid PRIMARY KEY DEFAULT nextval('files_seq'), note text);
INSERT INTO files (id) SELECT generate_series(1, 100)::oid;
INSERT INTO files (id) VALUES (3000000000);
