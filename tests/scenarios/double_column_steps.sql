-- A double precision column whose sequence has an increment of its own, near the last integers that it holds exactly.
CREATE SEQUENCE towns_seq INCREMENT 10 START 9007199254740001;
CREATE TABLE towns (id double precision PRIMARY KEY DEFAULT nextval('towns_seq'), note text);
INSERT INTO towns (id) VALUES (9007199254740001), (9007199254740003), (9007199254740021), (9007199254740021.5);
