-- A gap of two million with lock="none": too much for one statement, and still only nextval().
CREATE TABLE items (id serial PRIMARY KEY, note text);
INSERT INTO items (id) SELECT generate_series(2000000, 2000002);
