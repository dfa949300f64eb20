-- A function with a BEGIN ATOMIC body calls nextval(): the catalog records it, and it is explained.
CREATE SEQUENCE tokens_seq;
CREATE FUNCTION inner_token() RETURNS bigint BEGIN ATOMIC SELECT nextval('tokens_seq'); END;
CREATE FUNCTION next_token() RETURNS bigint BEGIN ATOMIC SELECT inner_token(); END;
CREATE TABLE tokens (id bigint PRIMARY KEY DEFAULT next_token(), note text);
INSERT INTO tokens (id) SELECT generate_series(1, 100);
