-- A default with a cast to numeric with precision.
CREATE SEQUENCE cast_seq;
CREATE TABLE casts (id numeric(10, 0) PRIMARY KEY DEFAULT nextval('cast_seq')::numeric(10, 0), note text);
INSERT INTO casts (id) SELECT generate_series(1, 7);
