-- Text that holds every tenth integer, and others between them.
CREATE SEQUENCE codes_seq INCREMENT 10;
CREATE TABLE codes (id text PRIMARY KEY DEFAULT nextval('codes_seq'), note text);
INSERT INTO codes (id) VALUES ('1'), ('5'), ('31'), ('35'), ('none');
