-- A partition has a sequence of its own, and no insert works through either: both are moved, and then hand out the same values.
CREATE SEQUENCE docs_seq;
CREATE TABLE docs (id integer PRIMARY KEY DEFAULT nextval('docs_seq')) PARTITION BY RANGE (id);
CREATE TABLE docs_old PARTITION OF docs FOR VALUES FROM (1) TO (100000);
CREATE SEQUENCE docs_old_seq;
ALTER TABLE docs_old ALTER id SET DEFAULT nextval('docs_old_seq');
INSERT INTO docs SELECT generate_series(1, 600);
