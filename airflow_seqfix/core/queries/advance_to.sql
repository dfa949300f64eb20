-- Call nextval() until it has passed the target; no call where it has already, or where the definition has changed.
-- The same way as advance.sql, which the caller repeats, for a script that nobody watches.
DO $seqfix$
DECLARE
    sequence     constant regclass := {sequence}::regclass;
    target       constant bigint   := {target};
    increment_by constant bigint   := {increment_by};
    reached      bigint;
    is_called    boolean;
BEGIN
    PERFORM FROM pg_sequence WHERE seqrelid = sequence AND seqincrement = increment_by AND NOT seqcycle;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the definition of sequence % has changed', sequence
              USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    EXECUTE format('SELECT last_value, is_called FROM %s', sequence) INTO reached, is_called;
    WHILE increment_by > 0 AND reached < target
          OR increment_by < 0 AND reached > target
          OR NOT is_called AND reached = target LOOP
        reached := nextval(sequence);
        is_called := true;
    END LOOP;
END
$seqfix$
