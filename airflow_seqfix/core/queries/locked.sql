-- Move one sequence forward under a lock that nobody can pass, or leave it where it is.
--
-- ALTER SEQUENCE ... OWNER TO its present owner changes nothing, and takes the one lock that conflicts with nextval()
-- and setval() on every kind of sequence, AccessExclusiveLock (ATExecChangeOwner() in tablecmds.c). Until this
-- transaction ends the state cannot change but here, so "look, then set" cannot set it back.
DO {quote}
DECLARE
    sequence     constant pg_catalog.regclass := {oid};
    target       constant bigint := {target};
    increment_by constant bigint := {increment_by};
    cache_size   constant bigint := {cache_size};
    present_owner pg_catalog.text;
    present_row   pg_catalog.xid;
    locked_row    pg_catalog.xid;
    last_value    bigint;
    is_called     boolean;
BEGIN{begin}
    SET LOCAL search_path = pg_catalog, pg_temp;
    SET LOCAL quote_all_identifiers = off;
    SET LOCAL lock_timeout = {lock_timeout};
    -- Nobody waits for this lock as long as a synchronous standby is away: the run waits for it once, in the end.
    SET LOCAL synchronous_commit = local;
    IF current_database() <> {database} THEN
        RAISE EXCEPTION 'this plan was made for database %, and this is %', {database}, current_database()
              USING HINT = 'Connect to that database, or make a new plan here.';
    END IF;
    SELECT quote_ident(pg_get_userbyid(c.relowner)), c.xmin INTO present_owner, present_row
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid = sequence AND format('%I.%I', n.nspname, c.relname) = {name};
    IF NOT FOUND THEN
        RAISE EXCEPTION 'sequence % does not have OID % here', {name}, sequence::oid
              USING ERRCODE = 'undefined_table', HINT = 'It was made anew: make a new plan.';
    END IF;
    EXECUTE format('ALTER SEQUENCE %s OWNER TO %s', sequence, present_owner);
    -- Only if the owner was another one by the time the lock was granted has this transaction written the row. Anybody
    -- else who has in the meantime, perhaps with a younger xid, has ended: the lock was theirs.
    SELECT xmin INTO locked_row FROM pg_class WHERE oid = sequence;
    IF locked_row <> present_row THEN
        IF pg_xact_status((pg_current_xact_id()::text::bigint + age(pg_current_xact_id()::xid) - age(locked_row))
                          ::text::xid8) = 'in progress' THEN
            RAISE EXCEPTION 'the owner of sequence % has changed', sequence
                  USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Nothing was moved: run it again.';
        END IF;
    END IF;
    PERFORM FROM pg_sequence
      WHERE seqrelid = sequence AND seqincrement = increment_by AND seqcache = cache_size AND NOT seqcycle
        AND seqmin = {min_value} AND seqmax = {max_value};
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the definition of sequence % has changed', sequence
              USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Make a new plan.';
    END IF;
    EXECUTE format('SELECT last_value, is_called FROM %s', sequence) INTO last_value, is_called;
    IF increment_by > 0 AND last_value < target
       OR increment_by < 0 AND last_value > target
       OR last_value = target AND NOT is_called THEN
        IF cache_size > 1 THEN
            -- A new relation file: sessions notice it and throw away the values that they have cached, see
            -- init_sequence() in sequence.c.
            EXECUTE format('ALTER SEQUENCE %s RESTART WITH %s', sequence, target);
        END IF;
        PERFORM setval(sequence, target, true);
    END IF;
END
{quote}
