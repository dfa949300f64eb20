-- The domain's default names the sequence as text.
CREATE SEQUENCE tickets_seq;
CREATE DOMAIN ticket_number AS bigint DEFAULT nextval('tickets_seq'::text);
CREATE TABLE tickets (id ticket_number PRIMARY KEY, note text);
INSERT INTO tickets (id) SELECT generate_series(1, 100);
