-- Several casts stand between nextval() and the column; none changes the number, and the narrowest limits it.
CREATE SEQUENCE notes_seq;
CREATE TABLE notes (id bigint PRIMARY KEY DEFAULT nextval('notes_seq')::text::int::numeric(9)::bigint, note text);
INSERT INTO notes (id) SELECT generate_series(1, 100);
CREATE SEQUENCE late_seq;
CREATE TABLE late (id bigint PRIMARY KEY DEFAULT nextval('public.late_seq'::text)::smallint::int, note text);
INSERT INTO late (id) SELECT generate_series(1, 10);
CREATE DOMAIN short AS varchar(3);
CREATE SEQUENCE codes_seq;
CREATE TABLE codes (id text PRIMARY KEY DEFAULT nextval('codes_seq')::short, note text);
CREATE SEQUENCE rounded_seq;
CREATE TABLE rounded (id numeric PRIMARY KEY DEFAULT nextval('rounded_seq')::money::numeric, note text);
CREATE SEQUENCE prices_seq;
CREATE TABLE prices (id numeric(10, 2) PRIMARY KEY DEFAULT nextval('prices_seq')::numeric(6, 2), note text);
INSERT INTO prices (id) VALUES (7), (7.25);
