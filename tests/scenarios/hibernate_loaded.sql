-- Steps of 50, never called, 100 rows loaded, margin=1.
CREATE SEQUENCE books_seq INCREMENT 50;
CREATE TABLE books (id bigint PRIMARY KEY DEFAULT nextval('books_seq'), note text);
INSERT INTO books (id) SELECT generate_series(1, 100);
