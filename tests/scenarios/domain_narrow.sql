-- The domain's base type sets the limit: a smallint under two layers, at its last value.
CREATE SEQUENCE badges_seq;
CREATE DOMAIN small AS smallint;
CREATE DOMAIN badge_number AS small CHECK (VALUE > 0);
CREATE TABLE badges (id badge_number PRIMARY KEY DEFAULT nextval('badges_seq'), note text);
INSERT INTO badges (id) SELECT generate_series(32700, 32767);
SELECT setval('badges_seq', 32767);
