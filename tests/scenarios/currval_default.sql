-- A second column repeats the first one's value with currval(): it draws nothing, and its rows do not count.
CREATE TABLE versions (id serial PRIMARY KEY, root integer DEFAULT currval('versions_id_seq'), note text);
INSERT INTO versions (id, root) SELECT n, n + 5000 FROM generate_series(1, 100) AS n;
