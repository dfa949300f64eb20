-- Beyond 2^53 a double precision column stores two integers as one: the sequence has no value left that fits.
CREATE SEQUENCE towns_seq;
CREATE TABLE towns (id double precision PRIMARY KEY DEFAULT nextval('towns_seq'), note text);
INSERT INTO towns (id) VALUES (9007199254740991), (9007199254740992);
SELECT setval('towns_seq', 9007199254740992);
