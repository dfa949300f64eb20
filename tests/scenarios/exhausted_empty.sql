-- The sequence is at its end though the table is empty: rows that were there have used it up.
CREATE TABLE hits (id smallserial PRIMARY KEY, note text);
SELECT setval('hits_id_seq', 32767);
