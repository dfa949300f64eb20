-- Two tables draw from one sequence that neither owns; the insert goes to the one with the larger ids.
CREATE SEQUENCE documents_seq;
CREATE TABLE letters (id bigint PRIMARY KEY DEFAULT nextval('documents_seq'), note text);
CREATE TABLE faxes (id bigint PRIMARY KEY DEFAULT nextval('documents_seq'), note text);
INSERT INTO letters (id) SELECT generate_series(51, 100);
INSERT INTO faxes (id) SELECT generate_series(1, 50);
