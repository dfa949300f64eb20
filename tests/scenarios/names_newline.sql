-- Line breaks of both kinds, which end a comment in a script.
CREATE SCHEMA U&"a\000Aschema";
CREATE TABLE U&"a\000Aschema".U&"two\000Alines\000D\000A" (U&"an\000Aid" serial PRIMARY KEY, note text);
INSERT INTO U&"a\000Aschema".U&"two\000Alines\000D\000A" (U&"an\000Aid") SELECT generate_series(1, 100);
