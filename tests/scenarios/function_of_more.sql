-- Functions that do more than that, or are not all of the default: nothing is guessed, and the column is named.
CREATE SEQUENCE tokens_seq;
CREATE FUNCTION next_token() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    id bigint := nextval('tokens_seq');
BEGIN
    RETURN id * 2;
END
$$;
CREATE TABLE tokens (id bigint PRIMARY KEY DEFAULT next_token(), note text);
CREATE SEQUENCE codes_seq;
CREATE FUNCTION next_code() RETURNS bigint LANGUAGE sql AS 'SELECT nextval(''codes_seq'')';
CREATE TABLE codes (id bigint PRIMARY KEY DEFAULT 1000 + next_code(), note text);
INSERT INTO tokens (id) SELECT 2 * generate_series(1, 100);
INSERT INTO codes (id) SELECT 1000 + generate_series(1, 100);
