-- Steps of 10 towards a limit that lies on none of them: the last step is as far as it goes.
CREATE SEQUENCE batches_seq INCREMENT 10 MAXVALUE 100;
CREATE TABLE batches (id bigint PRIMARY KEY DEFAULT nextval('batches_seq'), note text);
INSERT INTO batches (id) SELECT generate_series(1, 100);
