-- NaN sorts above every number, and cannot collide with any.
CREATE SEQUENCE samples_seq;
CREATE TABLE samples (id numeric PRIMARY KEY DEFAULT nextval('samples_seq'), note text);
INSERT INTO samples (id) SELECT generate_series(1, 100);
INSERT INTO samples (id) VALUES ('NaN'), (10::numeric ^ 30);
