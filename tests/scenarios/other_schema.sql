-- Table and sequence in a schema that is not on the search_path.
CREATE SCHEMA app;
CREATE TABLE app.accounts (id serial PRIMARY KEY, name text);
INSERT INTO app.accounts (id) SELECT generate_series(1, 100);
