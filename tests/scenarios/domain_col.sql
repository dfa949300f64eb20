-- The column's type is a domain over bigint.
CREATE DOMAIN positive AS bigint CHECK (VALUE > 0);
CREATE SEQUENCE deeds_seq;
CREATE TABLE deeds (id positive PRIMARY KEY DEFAULT nextval('deeds_seq'), note text);
ALTER SEQUENCE deeds_seq OWNED BY deeds.id;
INSERT INTO deeds (id) SELECT generate_series(1, 100);
