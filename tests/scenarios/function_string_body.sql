-- A function is nextval() and nothing else: its text says of which sequence, and it is judged like a default.
CREATE SEQUENCE tokens_seq;
CREATE FUNCTION next_token() RETURNS bigint LANGUAGE sql AS 'SELECT nextval(''tokens_seq'')';
CREATE TABLE tokens (id bigint PRIMARY KEY DEFAULT next_token(), note text);
INSERT INTO tokens (id) SELECT generate_series(1, 100);
