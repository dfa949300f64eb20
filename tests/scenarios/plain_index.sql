-- An index that is not unique: quick to read, and the same id twice is no error.
CREATE TABLE logs (id serial, note text);
CREATE INDEX ON logs (id);
INSERT INTO logs (id) SELECT generate_series(1, 100);
