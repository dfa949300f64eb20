-- A double precision column holds integers exactly up to 2^53.
CREATE SEQUENCE towns_seq;
CREATE TABLE towns (id double precision PRIMARY KEY DEFAULT nextval('towns_seq'), note text);
INSERT INTO towns (id) SELECT generate_series(1, 100);
INSERT INTO towns (id) VALUES (100.5), ('NaN'), ('Infinity'), (1e300);
