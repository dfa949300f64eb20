-- The sequence alone is unlogged, as ALTER SEQUENCE … SET UNLOGGED makes it: after a crash it starts again.
CREATE TABLE queue (id serial PRIMARY KEY, note text);
ALTER SEQUENCE queue_id_seq SET UNLOGGED;
INSERT INTO queue (id) SELECT generate_series(1, 100);
