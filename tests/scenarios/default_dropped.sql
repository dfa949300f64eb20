-- The default was dropped, and the column still owns the sequence.
CREATE TABLE articles (id serial PRIMARY KEY, note text);
ALTER TABLE articles ALTER id DROP DEFAULT;
INSERT INTO articles (id) SELECT generate_series(1, 100);
