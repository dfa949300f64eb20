-- The table was renamed, and its sequence was not.
CREATE TABLE old_name (id serial PRIMARY KEY, note text);
ALTER TABLE old_name RENAME TO new_name;
INSERT INTO new_name (id) SELECT generate_series(1, 100);
