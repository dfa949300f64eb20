-- The column owns its sequence, whose name tells nothing.
CREATE SEQUENCE counter_17;
CREATE TABLE tickets (id bigint PRIMARY KEY DEFAULT nextval('counter_17'), title text);
ALTER SEQUENCE counter_17 OWNED BY tickets.id;
INSERT INTO tickets (id) SELECT generate_series(1, 100);
