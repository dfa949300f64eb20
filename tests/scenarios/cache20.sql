-- CACHE 20: sessions may hold values, and only a new relation file makes them let go.
CREATE TABLE visits (id serial PRIMARY KEY, url text);
ALTER SEQUENCE visits_id_seq CACHE 20;
INSERT INTO visits (id) SELECT generate_series(1, 100);
