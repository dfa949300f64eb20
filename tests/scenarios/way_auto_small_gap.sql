-- A gap that is small enough for nextval().
CREATE TABLE items (id serial PRIMARY KEY, note text);
INSERT INTO items (id) SELECT generate_series(1, 100);
