-- The only row of the table is an outlier.
CREATE TABLE trials (id bigserial PRIMARY KEY, note text);
INSERT INTO trials (id) VALUES (1152921504606846976);
