-- Wildcards in a quoted name stand for themselves: only that one table is selected.
CREATE TABLE "a*" (id serial PRIMARY KEY, note text);
CREATE TABLE "ab" (id serial PRIMARY KEY, note text);
CREATE TABLE "a[b]" (id serial PRIMARY KEY, note text);
INSERT INTO "a*" (id) SELECT generate_series(1, 100);
INSERT INTO "ab" (id) SELECT generate_series(1, 100);
INSERT INTO "a[b]" (id) SELECT generate_series(1, 100);
