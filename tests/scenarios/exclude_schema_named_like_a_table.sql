-- A schema is excluded by a pattern; a table in another schema has the schema's name, and is not.
CREATE SCHEMA audit;
CREATE TABLE audit.events (id serial PRIMARY KEY);
CREATE TABLE public.audit (id serial PRIMARY KEY, note text);
INSERT INTO audit.events SELECT generate_series(1, 100);
INSERT INTO public.audit (id) SELECT generate_series(1, 100);
