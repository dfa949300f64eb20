-- Dots in every name, selected by all of them.
CREATE SCHEMA "my.app";
CREATE TABLE "my.app"."a.b.t" ("a.b.c" serial PRIMARY KEY, note text);
INSERT INTO "my.app"."a.b.t" ("a.b.c") SELECT generate_series(1, 100);
