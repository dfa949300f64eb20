-- The default was pointed to another sequence, and the column still owns the first one.
CREATE TABLE articles (id serial PRIMARY KEY, note text);
CREATE SEQUENCE articles_new_seq;
ALTER TABLE articles ALTER id SET DEFAULT nextval('articles_new_seq');
INSERT INTO articles (id) SELECT generate_series(1, 100);
