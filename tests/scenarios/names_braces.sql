-- Braces, which formatting in Python trips over, where the name itself stands in the statement.
CREATE SCHEMA "{target}";
CREATE TABLE "{target}"."{sequence} {0} {{}} t" ("{sequence} {0} {{}} c" serial PRIMARY KEY, note text);
INSERT INTO "{target}"."{sequence} {0} {{}} t" ("{sequence} {0} {{}} c") SELECT generate_series(1, 100);
