-- A numeric(12) column.
CREATE SEQUENCE parcels_seq;
CREATE TABLE parcels (id numeric(12) PRIMARY KEY DEFAULT nextval('parcels_seq'), note text);
INSERT INTO parcels (id) SELECT generate_series(1, 100);
