-- A table called like the function, which trips whoever edits the default's text.
CREATE TABLE nextvals (id serial PRIMARY KEY, note text);
INSERT INTO nextvals (id) SELECT generate_series(1, 100);
