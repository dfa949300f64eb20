-- A real column holds integers exactly up to 2^24.
CREATE SEQUENCE towns_seq;
CREATE TABLE towns (id real PRIMARY KEY DEFAULT nextval('towns_seq'), note text);
INSERT INTO towns (id) SELECT generate_series(1, 100);
