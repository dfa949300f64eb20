-- A table without any index or constraint: read from end to end, and a collision would go unnoticed.
CREATE TABLE logs (id serial, note text);
INSERT INTO logs (id) SELECT generate_series(1, 100);
