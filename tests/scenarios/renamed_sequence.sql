-- The sequence was renamed, and the default follows.
CREATE TABLE persons (id serial PRIMARY KEY, note text);
ALTER SEQUENCE persons_id_seq RENAME TO "a new name";
INSERT INTO persons (id) SELECT generate_series(1, 100);
