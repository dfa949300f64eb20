-- The sequence is owned by a column of another table, whose larger values do not count.
CREATE TABLE archive (id bigint, note text);
CREATE SEQUENCE articles_seq OWNED BY archive.id;
CREATE TABLE articles (id bigint PRIMARY KEY DEFAULT nextval('articles_seq'), note text);
INSERT INTO archive (id) VALUES (5000);
INSERT INTO articles (id) SELECT generate_series(1, 100);
