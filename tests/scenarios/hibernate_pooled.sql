-- Steps of 50 for blocks of ids that end at the value (Hibernate, pooled): margin=1 keeps the whole block free.
CREATE SEQUENCE books_seq INCREMENT 50;
CREATE TABLE books (id bigint PRIMARY KEY DEFAULT nextval('books_seq'), note text);
INSERT INTO books (id) SELECT generate_series(1, 100);
SELECT setval('books_seq', 51);
