-- GENERATED ALWAYS lets ids in with OVERRIDING SYSTEM VALUE, as a restore uses it.
CREATE TABLE invoices (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, total numeric);
INSERT INTO invoices (id, total) OVERRIDING SYSTEM VALUE SELECT n, n FROM generate_series(1, 100) AS n;
