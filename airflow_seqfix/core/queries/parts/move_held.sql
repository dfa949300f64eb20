-- Take the lock that nextval() takes, by OID, and keep it: until this transaction ends nobody renames the sequence,
    -- drops it, or alters it or its owner. Looked at only then.
    PERFORM pg_sequence_last_value(q.seqrelid) FROM pg_sequence q WHERE q.seqrelid = {oid};
    PERFORM FROM pg_class s
      JOIN pg_namespace n ON n.oid = s.relnamespace
     WHERE s.oid = {oid} AND format('%I.%I', n.nspname, s.relname) = {name};
    IF NOT FOUND OR NOT (@unchanged@) THEN
        RAISE EXCEPTION 'sequence % or what it feeds has changed since it was read', {shown}
              USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Nothing was moved: check again.';
    END IF;
