-- Upper-case letters in the names of table and column.
CREATE TABLE "Users" ("userId" serial PRIMARY KEY, name text);
INSERT INTO "Users" ("userId") SELECT generate_series(1, 100);
