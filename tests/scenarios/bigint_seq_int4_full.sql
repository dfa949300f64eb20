-- A bigint sequence has filled an integer column: it goes on counting, and no insert succeeds.
CREATE SEQUENCE hits_seq;
CREATE TABLE hits (id integer PRIMARY KEY DEFAULT nextval('hits_seq'), note text);
INSERT INTO hits (id) SELECT 2147483600 + n FROM generate_series(0, 47) AS n;
SELECT setval('hits_seq', 2147483650);
