-- The default wraps the number into text: listed with its expression, and never guessed.
CREATE SEQUENCE orders_seq;
CREATE TABLE orders (id text PRIMARY KEY DEFAULT 'ORD-' || nextval('orders_seq'), note text);
INSERT INTO orders (id) SELECT 'ORD-' || n FROM generate_series(1, 100) AS n;
