-- An empty table whose serial was told to start at 1000.
CREATE TABLE members (id serial PRIMARY KEY, name text);
ALTER SEQUENCE members_id_seq START 1000 RESTART;
