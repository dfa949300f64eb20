-- A column that holds nothing but NULLs, as after ADD COLUMN without a default.
CREATE SEQUENCE labels_seq;
CREATE TABLE labels (id integer UNIQUE, note text);
INSERT INTO labels (note) SELECT 'old' FROM generate_series(1, 20);
ALTER TABLE labels ALTER id SET DEFAULT nextval('labels_seq');
