-- Two schemas have a sequence of that name: which one is meant, whoever inserts decides with a search_path.
CREATE SCHEMA app;
CREATE SEQUENCE app.jobs_seq;
CREATE SEQUENCE public.jobs_seq;
CREATE TABLE jobs (id bigint PRIMARY KEY DEFAULT nextval('jobs_seq'::text), note text);
INSERT INTO jobs (id) SELECT generate_series(1, 100);
