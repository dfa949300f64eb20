-- Descending in steps of 5 from 1000, with bounds on both sides and rows outside them.
CREATE SEQUENCE levels_seq INCREMENT BY -5 MINVALUE -1000 MAXVALUE 1000 START 1000;
CREATE TABLE levels (id integer PRIMARY KEY DEFAULT nextval('levels_seq'), note text);
INSERT INTO levels (id) SELECT 1000 - 5 * n FROM generate_series(0, 99) AS n;
INSERT INTO levels (id) VALUES (2000), (-2000);
