-- Rows lie beyond what the cast in the default lets through, but not beyond what the column holds: they never collide.
CREATE SEQUENCE wide_seq;
CREATE TABLE wide (id bigint PRIMARY KEY DEFAULT nextval('wide_seq')::int, note text);
INSERT INTO wide (id) VALUES (1), (2), (3000000000);
CREATE SEQUENCE down_seq INCREMENT -1;
CREATE TABLE down (id bigint PRIMARY KEY DEFAULT nextval('down_seq')::numeric(4, 0)::bigint, note text);
INSERT INTO down (id) VALUES (-1), (-2), (-40000);
CREATE SEQUENCE short_seq;
CREATE DOMAIN short AS integer DEFAULT nextval('short_seq')::varchar(2)::int;
CREATE TABLE shorts (id short PRIMARY KEY, note text);
INSERT INTO shorts (id) SELECT generate_series(1, 60);
INSERT INTO shorts (id) SELECT generate_series(1000, 1060);
CREATE SEQUENCE full_seq;
CREATE TABLE fulls (id integer PRIMARY KEY DEFAULT nextval('full_seq')::numeric(2)::int, note text);
INSERT INTO fulls (id) SELECT generate_series(1, 99);
INSERT INTO fulls (id) VALUES (40000);
SELECT setval('full_seq', 99);
