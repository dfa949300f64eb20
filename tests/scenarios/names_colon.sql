-- Colons and question marks, which some drivers take for parameters.
CREATE SCHEMA "@";
CREATE TABLE "@".":name ? ::regclass t" (":name ? ::regclass c" serial PRIMARY KEY, note text);
INSERT INTO "@".":name ? ::regclass t" (":name ? ::regclass c") SELECT generate_series(1, 100);
