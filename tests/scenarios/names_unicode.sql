-- Letters of several alphabets, and an emoji.
CREATE SCHEMA "схема";
CREATE TABLE "схема"."Größe_表_🐘_t" ("Größe_表_🐘_c" serial PRIMARY KEY, note text);
INSERT INTO "схема"."Größe_表_🐘_t" ("Größe_表_🐘_c") SELECT generate_series(1, 100);
