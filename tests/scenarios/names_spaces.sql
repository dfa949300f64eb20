-- Spaces and tabs, in front and behind.
CREATE SCHEMA " ";
CREATE TABLE " "." 	 t" (" 	 c" serial PRIMARY KEY, note text);
INSERT INTO " "." 	 t" (" 	 c") SELECT generate_series(1, 100);
