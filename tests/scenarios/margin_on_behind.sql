-- margin=100 on a sequence that is behind.
CREATE TABLE items (id serial PRIMARY KEY, note text);
INSERT INTO items (id) SELECT generate_series(1, 100);
