-- A char(4) column whose default casts to text, in a database of other sequences: text holds up to four digits.
CREATE SEQUENCE codes_seq;
CREATE TABLE codes (id char(4) PRIMARY KEY DEFAULT nextval('codes_seq')::text, note text);
INSERT INTO codes (id) SELECT n FROM generate_series(1, 120) AS n;
CREATE SEQUENCE down_seq INCREMENT -1;
CREATE TABLE down (id char(4) PRIMARY KEY DEFAULT nextval('down_seq')::text, note text);
INSERT INTO down (id) SELECT -n FROM generate_series(1, 120) AS n;
