-- The default holds the name as text, so the catalog records no tie; only one sequence has that name.
CREATE SEQUENCE events_seq;
CREATE TABLE events (id bigint PRIMARY KEY DEFAULT nextval('events_seq'::text), kind text);
INSERT INTO events (id) SELECT generate_series(1, 100);
