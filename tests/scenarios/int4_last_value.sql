-- One value is left, and it is still a good one.
CREATE TABLE hits (id serial PRIMARY KEY, note text);
INSERT INTO hits (id) VALUES (2147483645), (2147483646);
SELECT setval('hits_id_seq', 2147483646);
