-- The default names a sequence that no column owns.
CREATE SEQUENCE shipments_seq;
CREATE TABLE shipments (id bigint PRIMARY KEY DEFAULT nextval('shipments_seq'), address text);
INSERT INTO shipments (id) SELECT generate_series(1, 100);
