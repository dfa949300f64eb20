-- The text names a sequence that only the search_path of whoever inserts leads to; no other has the name.
CREATE SCHEMA app;
CREATE SEQUENCE app.jobs_seq;
CREATE TABLE public.jobs (id bigint PRIMARY KEY DEFAULT nextval('jobs_seq'::text), note text);
INSERT INTO public.jobs (id) SELECT generate_series(1, 100);
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = app, public', current_database()); END $$;
