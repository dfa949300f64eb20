-- The column was renamed, and its sequence was not.
CREATE TABLE persons (id serial PRIMARY KEY, note text);
ALTER TABLE persons RENAME id TO person_id;
INSERT INTO persons (person_id) SELECT generate_series(1, 100);
