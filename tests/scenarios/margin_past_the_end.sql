-- A margin that there are not enough values for.
CREATE TABLE items (id smallserial PRIMARY KEY, note text);
INSERT INTO items (id) SELECT generate_series(32001, 32100);
SELECT setval('items_id_seq', 32100);
