-- Descending in steps of 5, and a loaded id between two steps.
CREATE SEQUENCE levels_seq INCREMENT BY -5 MAXVALUE 1000 START 1000;
CREATE TABLE levels (id integer PRIMARY KEY DEFAULT nextval('levels_seq'), note text);
INSERT INTO levels (id) VALUES (1000), (995), (503);
