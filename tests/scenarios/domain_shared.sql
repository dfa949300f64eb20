-- Columns of two tables take the default of one domain, and so one sequence.
CREATE SEQUENCE tickets_seq;
CREATE DOMAIN ticket_number AS bigint DEFAULT nextval('tickets_seq');
CREATE TABLE incidents (id ticket_number PRIMARY KEY, note text);
CREATE TABLE requests (id ticket_number PRIMARY KEY, note text);
INSERT INTO incidents (id) SELECT generate_series(51, 100);
INSERT INTO requests (id) SELECT generate_series(1, 50);
