-- The text holds a quoted name, with quotes of both kinds in it.
CREATE SEQUENCE "Bob's ""own"" seq";
CREATE TABLE jobs (id bigint PRIMARY KEY DEFAULT nextval('"Bob''s ""own"" seq"'::text), note text);
INSERT INTO jobs (id) SELECT generate_series(1, 100);
