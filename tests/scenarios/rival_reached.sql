-- A partition has its own sequence, which begins where the parent's one ends; the parent's was never called, and all before is taken.
CREATE TABLE docs (id serial PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE docs_old PARTITION OF docs FOR VALUES FROM (1) TO (1000);
CREATE TABLE docs_new PARTITION OF docs FOR VALUES FROM (1000) TO (100000);
CREATE SEQUENCE docs_new_seq START 1000;
ALTER TABLE docs_new ALTER id SET DEFAULT nextval('docs_new_seq');
INSERT INTO docs SELECT generate_series(1, 999);
INSERT INTO docs_new SELECT nextval('docs_new_seq') FROM generate_series(1, 100);
