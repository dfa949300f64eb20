-- An empty table with a new sequence: the first id is 1 and must stay 1.
CREATE TABLE drafts (id serial PRIMARY KEY, note text);
