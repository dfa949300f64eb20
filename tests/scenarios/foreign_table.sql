-- A foreign table draws from the sequence: its rows are elsewhere, so it is listed and left alone.
CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER nowhere;
CREATE FOREIGN TABLE remote_orders (id serial, note text) SERVER elsewhere;
