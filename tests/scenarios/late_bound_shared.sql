-- One table names the sequence as text, another as a regclass: both draw from it.
CREATE SEQUENCE jobs_seq;
CREATE TABLE jobs (id bigint PRIMARY KEY DEFAULT nextval('jobs_seq'), note text);
CREATE TABLE tasks (id bigint PRIMARY KEY DEFAULT nextval('jobs_seq'::text), note text);
INSERT INTO jobs (id) SELECT generate_series(1, 50);
INSERT INTO tasks (id) SELECT generate_series(51, 100);
