-- The schema was renamed.
CREATE SCHEMA sales;
CREATE TABLE sales.persons (id serial PRIMARY KEY, note text);
ALTER SCHEMA sales RENAME TO crm;
INSERT INTO crm.persons (id) SELECT generate_series(1, 100);
