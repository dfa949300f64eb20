-- The sequence is owned by another column than the one that draws from it.
CREATE SEQUENCE parts_seq;
CREATE TABLE parts (id bigint PRIMARY KEY DEFAULT nextval('parts_seq'), revision integer NOT NULL DEFAULT 1);
ALTER SEQUENCE parts_seq OWNED BY parts.revision;
INSERT INTO parts (id) SELECT generate_series(1, 100);
