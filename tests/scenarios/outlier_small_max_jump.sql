-- With a small max_jump a modest stray is one too; the sequence is behind the other rows as well, and stays.
CREATE TABLE trials (id serial PRIMARY KEY, note text);
INSERT INTO trials (id) SELECT generate_series(1, 100);
INSERT INTO trials (id) VALUES (500);
