-- With a small max_jump a modest stray is one too; the sequence moves past the other rows, and a person decides.
CREATE TABLE trials (id serial PRIMARY KEY, note text);
INSERT INTO trials (id) SELECT generate_series(1, 100);
INSERT INTO trials (id) VALUES (500);
