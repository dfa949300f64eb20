-- A function is nextval() of what it is given, which the default says.
CREATE SEQUENCE tokens_seq;
CREATE FUNCTION next_of(regclass) RETURNS bigint LANGUAGE sql AS 'SELECT nextval($1)';
CREATE TABLE tokens (id bigint PRIMARY KEY DEFAULT next_of('tokens_seq'), note text);
INSERT INTO tokens (id) SELECT generate_series(1, 100);
