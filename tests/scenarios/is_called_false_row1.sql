-- One row with id 1, and a sequence that was never called: last_value is 1 as well, and still it is behind.
CREATE TABLE settings (id serial PRIMARY KEY, name text);
INSERT INTO settings (id) VALUES (1);
