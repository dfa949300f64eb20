-- The default belongs to the column's domain.
CREATE SEQUENCE tickets_seq;
CREATE DOMAIN ticket_number AS bigint DEFAULT nextval('tickets_seq');
CREATE TABLE tickets (id ticket_number PRIMARY KEY, note text);
INSERT INTO tickets (id) SELECT generate_series(1, 100);
