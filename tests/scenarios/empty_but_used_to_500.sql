-- Every row was deleted after 500 ids had been given away: none of them may come back.
CREATE TABLE sessions (id serial PRIMARY KEY, token text);
SELECT setval('sessions_id_seq', 500);
