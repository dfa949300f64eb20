-- A local table and a foreign one draw from the same sequence: it is behind here, and perhaps further there.
CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER nowhere;
CREATE SEQUENCE ids;
CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT nextval('ids'), note text);
CREATE FOREIGN TABLE archive (id bigint DEFAULT nextval('ids')) SERVER elsewhere;
INSERT INTO orders (id) SELECT generate_series(1, 100);
