-- Upper-case letters in the name of the column alone.
CREATE TABLE users ("userId" serial PRIMARY KEY, name text);
INSERT INTO users ("userId") SELECT generate_series(1, 100);
