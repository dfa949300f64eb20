-- The same with a name, in PL/pgSQL: the column takes what an integer can hold, as the function does.
CREATE SEQUENCE tokens_seq;
CREATE FUNCTION next_of(ids text) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
    -- A comment, which says nothing of nextval('other').
    RETURN nextval(ids::regclass);
END
$$;
CREATE TABLE tokens (id bigint PRIMARY KEY DEFAULT next_of('tokens_seq'), note text);
INSERT INTO tokens (id) SELECT generate_series(1, 100);
INSERT INTO tokens (id) VALUES (3000000000);
