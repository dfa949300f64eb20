-- A nullable column with NULLs in it.
CREATE SEQUENCE labels_seq;
CREATE TABLE labels (id integer UNIQUE DEFAULT nextval('labels_seq'), note text);
INSERT INTO labels (id) SELECT generate_series(1, 100);
INSERT INTO labels (id) SELECT NULL FROM generate_series(1, 20);
