-- Take the lock that nextval() takes, by OID, and keep it: until the transaction ends nobody renames the sequence, drops it,
-- or alters it or its owner. What a later statement of the transaction sees of it stays true.
SELECT pg_sequence_last_value(q.seqrelid) FROM pg_sequence q WHERE q.seqrelid = {oid}
