-- Negative seed rows beside loaded ones.
CREATE TABLE roles (id serial PRIMARY KEY, note text);
INSERT INTO roles (id) SELECT generate_series(-50, 50);
