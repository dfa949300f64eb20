-- Names that start with digits.
CREATE SCHEMA "42";
CREATE TABLE "42"."2026t" ("2026c" serial PRIMARY KEY, note text);
INSERT INTO "42"."2026t" ("2026c") SELECT generate_series(1, 100);
