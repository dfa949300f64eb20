-- The default belongs to a domain under the column's domain.
CREATE SEQUENCE tickets_seq;
CREATE DOMAIN number AS integer DEFAULT nextval('tickets_seq');
CREATE DOMAIN ticket_number AS number CHECK (VALUE > 0);
CREATE TABLE tickets (id ticket_number PRIMARY KEY, note text);
INSERT INTO tickets (id) SELECT generate_series(1, 100);
