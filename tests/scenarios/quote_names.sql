-- Quotes of both kinds in the names.
CREATE TABLE "it's ""here""" ("the ""id""" serial PRIMARY KEY, note text);
INSERT INTO "it's ""here""" ("the ""id""") SELECT generate_series(1, 100);
