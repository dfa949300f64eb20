-- The name in the text is qualified: a sequence of the same name elsewhere does not matter.
CREATE SCHEMA app;
CREATE SEQUENCE app.jobs_seq;
CREATE SEQUENCE public.jobs_seq;
CREATE TABLE jobs (id bigint PRIMARY KEY DEFAULT nextval('app.jobs_seq'::text), note text);
INSERT INTO jobs (id) SELECT generate_series(1, 100);
