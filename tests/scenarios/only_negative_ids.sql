-- Seed rows with negative ids only: an ascending sequence never meets them.
CREATE TABLE roles (id serial PRIMARY KEY, name text);
INSERT INTO roles (id) SELECT -n FROM generate_series(1, 100) AS n;
