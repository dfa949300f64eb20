-- A smallserial column.
CREATE TABLE rooms (id smallserial PRIMARY KEY, note text);
INSERT INTO rooms (id) SELECT generate_series(1, 100);
