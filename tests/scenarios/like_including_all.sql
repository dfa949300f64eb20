-- LIKE INCLUDING ALL copies the default of a serial, so both tables draw from the first one's sequence.
CREATE TABLE plans (id serial PRIMARY KEY, note text);
CREATE TABLE plans_copy (LIKE plans INCLUDING ALL);
INSERT INTO plans (id) SELECT generate_series(1, 10);
INSERT INTO plans_copy (id) SELECT generate_series(1, 100);
