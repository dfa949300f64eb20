-- coalesce() with a constant is nextval(), for that is never NULL; with anything calculated it is an expression.
CREATE SEQUENCE tokens_seq;
CREATE SEQUENCE late_seq;
CREATE SEQUENCE codes_seq;
CREATE TABLE tokens (id integer PRIMARY KEY DEFAULT coalesce(nextval('tokens_seq'), 0), note text);
CREATE TABLE late (id integer PRIMARY KEY DEFAULT coalesce(nextval('late_seq'::text), '-1'), note text);
CREATE TABLE codes (id integer PRIMARY KEY DEFAULT coalesce(nextval('codes_seq'), 0) + 10, note text);
INSERT INTO tokens (id) SELECT generate_series(1, 100);
INSERT INTO late (id) SELECT generate_series(1, 100);
INSERT INTO codes (id) SELECT generate_series(1, 100);
