-- A double precision column, where large values run together: listed with its type.
CREATE SEQUENCE towns_seq;
CREATE TABLE towns (id double precision PRIMARY KEY DEFAULT nextval('towns_seq'), note text);
INSERT INTO towns (id) SELECT generate_series(1, 100);
