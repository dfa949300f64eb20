-- Behind, and a margin that there are not enough values for: moved past the data, and no value is spent on the margin.
CREATE TABLE items (id smallserial PRIMARY KEY, note text);
INSERT INTO items (id) SELECT generate_series(32001, 32700);
SELECT setval('items_id_seq', 32000);
