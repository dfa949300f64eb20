-- Two tables draw from one sequence, and the one that does not own it holds the larger ids.
CREATE TABLE quotes (id serial PRIMARY KEY, note text);
CREATE TABLE contracts (id integer PRIMARY KEY DEFAULT nextval('quotes_id_seq'), note text);
INSERT INTO quotes (id) SELECT generate_series(1, 50);
INSERT INTO contracts (id) SELECT generate_series(51, 100);
