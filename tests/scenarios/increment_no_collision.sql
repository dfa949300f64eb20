-- Steps of 10, and every loaded id lies between them: still moved past, in a bounded number of looks.
CREATE SEQUENCE batches_seq INCREMENT 10;
CREATE TABLE batches (id bigint PRIMARY KEY DEFAULT nextval('batches_seq'), note text);
INSERT INTO batches (id) SELECT n FROM generate_series(2, 100) AS n WHERE n % 10 <> 1;
