-- An inheritance child draws from a sequence of its own, and the parent sees the child's rows.
CREATE TABLE vehicles (id serial PRIMARY KEY, note text);
CREATE SEQUENCE lorries_seq;
CREATE TABLE lorries (id integer PRIMARY KEY DEFAULT nextval('lorries_seq')) INHERITS (vehicles);
INSERT INTO vehicles (id) SELECT generate_series(1, 50);
INSERT INTO lorries (id) SELECT generate_series(1, 100);
