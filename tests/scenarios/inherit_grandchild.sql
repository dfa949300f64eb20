-- The largest ids lie two levels below the table with the serial.
CREATE TABLE vehicles (id serial PRIMARY KEY, note text);
CREATE TABLE lorries (PRIMARY KEY (id)) INHERITS (vehicles);
CREATE TABLE tankers (PRIMARY KEY (id)) INHERITS (lorries);
INSERT INTO vehicles (id) SELECT generate_series(1, 30);
INSERT INTO lorries (id) SELECT generate_series(31, 60);
INSERT INTO tankers (id) SELECT generate_series(61, 100);
