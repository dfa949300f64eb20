-- An inheritance child draws from its parent's sequence, and holds the larger ids.
CREATE TABLE vehicles (id serial PRIMARY KEY, plate text);
CREATE TABLE lorries (load integer, PRIMARY KEY (id)) INHERITS (vehicles);
INSERT INTO vehicles (id) SELECT generate_series(1, 50);
INSERT INTO lorries (id) SELECT generate_series(51, 100);
