-- Reserved words as names.
CREATE TABLE "order" ("user" serial PRIMARY KEY, "select" text);
INSERT INTO "order" ("user") SELECT generate_series(1, 100);
