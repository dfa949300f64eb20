-- Objects of the user's that are called like built-in ones, with the user's schema in front.
CREATE TABLE public.pg_class (id serial PRIMARY KEY, note text);
INSERT INTO public.pg_class (id) SELECT generate_series(1, 100);
CREATE FUNCTION public.quote_ident(name) RETURNS text LANGUAGE sql AS $$ SELECT 'mine'::text $$;
CREATE FUNCTION public.nextval(regclass) RETURNS bigint LANGUAGE sql AS $$ SELECT 7::bigint $$;
CREATE FUNCTION public.setval(regclass, bigint, boolean) RETURNS bigint LANGUAGE sql AS $$ SELECT 7::bigint $$;
CREATE FUNCTION public.max(integer, integer) RETURNS integer LANGUAGE sql AS $$ SELECT 7 $$;
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog', current_database()); END $$;
