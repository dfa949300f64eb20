-- Dollar quotes and parameters, where the repair is a DO block.
CREATE SCHEMA "$seqfix$";
CREATE TABLE "$seqfix$"."$seqfix$ $$ $1 t" ("$seqfix$ $$ $1 c" serial PRIMARY KEY, note text);
INSERT INTO "$seqfix$"."$seqfix$ $$ $1 t" ("$seqfix$ $$ $1 c") SELECT generate_series(1, 100);
