-- The text holds a name in upper case and without quotes, which folds to lower case.
CREATE SEQUENCE jobs_seq;
CREATE SEQUENCE "JOBS_SEQ";
CREATE TABLE jobs (id bigint PRIMARY KEY DEFAULT nextval('JOBS_SEQ'::text), note text);
INSERT INTO jobs (id) SELECT generate_series(1, 100);
