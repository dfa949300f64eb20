-- A serial whose sequence was turned round.
CREATE TABLE ledger (id serial PRIMARY KEY, note text);
ALTER SEQUENCE ledger_id_seq INCREMENT BY -1 MINVALUE -2147483648 MAXVALUE -1 START -1 RESTART;
INSERT INTO ledger (id) SELECT -n FROM generate_series(1, 100) AS n;
