-- Columns of other types, whose defaults cast to a type of numbers or texts on the way.
CREATE SEQUENCE money_seq;
CREATE TABLE prices (id money PRIMARY KEY DEFAULT nextval('money_seq')::numeric);
INSERT INTO prices SELECT n::money FROM generate_series(1, 9) AS n;
CREATE SEQUENCE letter_seq;
CREATE TABLE letters (id "char" PRIMARY KEY DEFAULT nextval('letter_seq')::text);
INSERT INTO letters SELECT n::text::"char" FROM generate_series(1, 9) AS n;
CREATE SEQUENCE class_seq;
CREATE TABLE classes (id regclass PRIMARY KEY DEFAULT nextval('class_seq')::integer);
INSERT INTO classes SELECT n FROM generate_series(1, 9) AS n;
