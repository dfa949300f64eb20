-- INCREMENT 10, and a loaded id that the sequence would never hand out: the repair stays on 1, 11, 21, …
CREATE SEQUENCE batches_seq INCREMENT 10;
CREATE TABLE batches (id bigint PRIMARY KEY DEFAULT nextval('batches_seq'), note text);
INSERT INTO batches (id) VALUES (1), (11), (21), (95);
