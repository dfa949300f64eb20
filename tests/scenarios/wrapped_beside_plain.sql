-- One column takes the value as it is, another wraps it: judged by the first, and the second is named.
CREATE SEQUENCE orders_seq;
CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT nextval('orders_seq'), note text);
CREATE TABLE labels (code text PRIMARY KEY DEFAULT 'L' || nextval('orders_seq'), note text);
INSERT INTO orders (id) SELECT generate_series(1, 100);
INSERT INTO labels (code) SELECT 'L' || n FROM generate_series(1, 500) AS n;
