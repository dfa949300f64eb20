-- The text holds a quoted name with a dot in it, which is not a schema.
CREATE SCHEMA app;
CREATE SEQUENCE app.jobs;
CREATE SEQUENCE public."app.jobs";
CREATE TABLE jobs (id bigint PRIMARY KEY DEFAULT nextval('"app.jobs"'::text), note text);
INSERT INTO jobs (id) SELECT generate_series(1, 100);
