-- A CYCLE sequence that has wrapped: larger ids lie ahead on purpose, and it is left alone.
CREATE SEQUENCE slots_seq MAXVALUE 100 CYCLE;
CREATE TABLE slots (id integer PRIMARY KEY DEFAULT nextval('slots_seq'), note text);
INSERT INTO slots (id) SELECT generate_series(40, 100);
SELECT setval('slots_seq', 10);
