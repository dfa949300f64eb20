-- The serial leads the primary key: an index serves it, and does not keep its values apart.
CREATE TABLE lines (id serial, tenant integer DEFAULT 1, note text, PRIMARY KEY (id, tenant));
INSERT INTO lines (id) SELECT generate_series(1, 100);
