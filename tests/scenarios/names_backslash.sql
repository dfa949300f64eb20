-- Backslashes, which turn a literal into an E'' one.
CREATE SCHEMA "\";
CREATE TABLE "\"."back\slash\' t" ("back\slash\' c" serial PRIMARY KEY, note text);
INSERT INTO "\"."back\slash\' t" ("back\slash\' c") SELECT generate_series(1, 100);
