-- Call nextval() until it has passed the target; no call where it has already, or where the definition has changed.
DO {quote}
DECLARE
    sequence     constant pg_catalog.regclass := {oid};
    target       constant bigint := {target};
    increment_by constant bigint := {increment_by};
    reached      bigint;
    is_called    boolean;
BEGIN{begin}
    SET LOCAL search_path = pg_catalog, pg_temp;
    SET LOCAL quote_all_identifiers = off;
    SET LOCAL lock_timeout = {lock_timeout};
    SET LOCAL synchronous_commit = local;
    IF current_database() <> {database} THEN
        RAISE EXCEPTION 'this plan was made for database %, and this is %', {database}, current_database()
              USING HINT = 'Connect to that database, or make a new plan here.';
    END IF;
    PERFORM FROM pg_sequence q
      JOIN pg_class c ON c.oid = q.seqrelid
      JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE q.seqrelid = sequence AND q.seqincrement = increment_by AND NOT q.seqcycle
       AND format('%I.%I', n.nspname, c.relname) = {name};
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the definition of sequence % has changed', sequence
              USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Make a new plan.';
    END IF;
    EXECUTE format('SELECT last_value, is_called FROM %s', sequence) INTO reached, is_called;
    WHILE increment_by > 0 AND reached < target
          OR increment_by < 0 AND reached > target
          OR NOT is_called AND reached = target LOOP
        reached := nextval(sequence);
        is_called := true;
    END LOOP;
END
{quote}
