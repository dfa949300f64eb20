-- Names that end a statement and start another.
CREATE SCHEMA "s; --";
CREATE TABLE "s; --"."x; DROP TABLE survivors; -- t" ("x; DROP TABLE survivors; -- c" serial PRIMARY KEY, note text);
INSERT INTO "s; --"."x; DROP TABLE survivors; -- t" ("x; DROP TABLE survivors; -- c") SELECT generate_series(1, 100);
CREATE TABLE survivors (id integer);
