-- The same with lock="none": nextval() in several transactions.
CREATE TABLE items (id serial PRIMARY KEY, note text);
INSERT INTO items (id) SELECT generate_series(1, 25000);
