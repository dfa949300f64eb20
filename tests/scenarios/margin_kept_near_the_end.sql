-- A margin near the end that leaves more than it passes is kept.
CREATE TABLE items (id smallserial PRIMARY KEY, note text);
INSERT INTO items (id) SELECT generate_series(1, 32500);
