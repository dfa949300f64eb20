-- margin=100 before a cutover: a sequence that is in sync by itself is moved as well.
CREATE TABLE items (id serial PRIMARY KEY, note text);
INSERT INTO items (id) SELECT generate_series(1, 100);
SELECT setval('items_id_seq', 100);
