-- A stored body that is one call: the catalog knows the sequence.
CREATE SEQUENCE tokens_seq;
CREATE FUNCTION next_token() RETURNS bigint BEGIN ATOMIC SELECT nextval('tokens_seq'); END;
CREATE SEQUENCE codes_seq;
CREATE FUNCTION next_code() RETURNS bigint RETURN nextval('codes_seq');
CREATE TABLE tokens (id bigint PRIMARY KEY DEFAULT next_token(), code integer UNIQUE DEFAULT next_code(), note text);
INSERT INTO tokens (id, code) SELECT n, n FROM generate_series(1, 100) AS n;
