-- A margin that fits, and would take most of what is left: it is dropped, and the data are passed all the same.
CREATE TABLE items (id smallserial PRIMARY KEY, note text);
INSERT INTO items (id) SELECT generate_series(1, 32000);
