-- A function looks its sequence up with a search_path of its own.
CREATE SCHEMA app;
CREATE SEQUENCE app.tokens_seq;
CREATE SEQUENCE tokens_seq;
CREATE FUNCTION next_token() RETURNS bigint LANGUAGE sql SET search_path = missing, app, public AS 'SELECT nextval(''tokens_seq'')';
CREATE TABLE tokens (id bigint PRIMARY KEY DEFAULT next_token(), note text);
INSERT INTO tokens (id) SELECT generate_series(1, 100);
