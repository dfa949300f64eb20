-- Percent signs, which formatting in drivers and in PL/pgSQL trips over.
CREATE SCHEMA "50%";
CREATE TABLE "50%"."100%s %(id)s %I t" ("100%s %(id)s %I c" serial PRIMARY KEY, note text);
INSERT INTO "50%"."100%s %(id)s %I t" ("100%s %(id)s %I c") SELECT generate_series(1, 100);
