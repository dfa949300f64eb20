-- The sequence lives in another schema than the table.
CREATE SCHEMA seqs;
CREATE SEQUENCE seqs.payments;
CREATE TABLE payments (id bigint PRIMARY KEY DEFAULT nextval('seqs.payments'), amount numeric);
INSERT INTO payments (id) SELECT generate_series(1, 100);
