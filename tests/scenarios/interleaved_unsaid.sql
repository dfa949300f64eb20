-- The same without interleaved: the other writer's ids count, and the sequence keeps to its own steps.
CREATE SEQUENCE nodes_seq INCREMENT 10 START 2;
CREATE TABLE nodes (id bigint PRIMARY KEY DEFAULT nextval('nodes_seq'), note text);
INSERT INTO nodes (id) SELECT 2 + 10 * n FROM generate_series(0, 9) AS n;
INSERT INTO nodes (id) SELECT 1 + 10 * n FROM generate_series(0, 99) AS n;
SELECT setval('nodes_seq', 92);
