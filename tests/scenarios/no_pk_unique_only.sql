-- No primary key, only a unique constraint on the serial.
CREATE TABLE imports (id serial UNIQUE, file text);
INSERT INTO imports (id) SELECT generate_series(1, 100);
