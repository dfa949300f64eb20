-- A unique index that leaves rows out serves neither to find the furthest value nor to keep ids apart.
CREATE TABLE logs (id serial, note text);
CREATE UNIQUE INDEX ON logs (id) WHERE note IS NOT NULL;
INSERT INTO logs (id) SELECT generate_series(1, 100);
