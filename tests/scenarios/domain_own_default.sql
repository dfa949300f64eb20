-- The column has a default of its own, which stands before that of its domain.
CREATE SEQUENCE domain_seq;
CREATE SEQUENCE column_seq;
CREATE DOMAIN ticket_number AS bigint DEFAULT nextval('domain_seq');
CREATE TABLE tickets (id ticket_number PRIMARY KEY DEFAULT nextval('column_seq'), note text);
INSERT INTO tickets (id) SELECT generate_series(1, 100);
