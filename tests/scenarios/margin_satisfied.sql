-- margin=100, and the sequence is further ahead already.
CREATE TABLE items (id serial PRIMARY KEY, note text);
INSERT INTO items (id) SELECT generate_series(1, 100);
SELECT setval('items_id_seq', 200);
