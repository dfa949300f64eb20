-- Move one sequence forward under a lock that nobody can pass, or leave it where it is.
--
-- ALTER SEQUENCE ... OWNER TO its present owner changes nothing, and takes the one lock that conflicts with nextval()
-- and setval() on every kind of sequence, AccessExclusiveLock (ATExecChangeOwner() in tablecmds.c). Until this
-- transaction ends the state cannot change but here, so "look, then set" cannot set it back.
DO {quote}
DECLARE
    target    constant bigint := {target};
    direction constant numeric := {direction};
    present   pg_catalog.record;
    locked    pg_catalog.record;
    is_held   boolean := false;
    dropped   bigint;
    stood     bigint  := {last_value};
    has_stood boolean := {is_called};
    reached   bigint;
    is_called boolean;
    kinds     pg_catalog.text;
BEGIN{begin}
    @move_settings@
    @lock_look@ INTO present;
    IF present.owner_row IS NULL AND EXISTS (SELECT FROM pg_event_trigger WHERE evtenabled <> 'D') THEN
        -- What the rows below tell an event trigger blurs. So nobody gives it another owner from here on: the lock that
        -- nextval() takes, by OID. Two who do this are in each other's way, until lock_timeout.
        PERFORM pg_sequence_last_value(q.seqrelid) FROM pg_sequence q WHERE q.seqrelid = {oid};
        is_held := true;
        @lock_look@ INTO present;
    END IF;
    IF present.name IS DISTINCT FROM {name} THEN
        RAISE EXCEPTION 'sequence % does not have OID % here', {shown}, {oid}
              USING ERRCODE = 'undefined_table', HINT = 'It was made anew, or renamed: check again.';
    END IF;
    dropped := pg_stat_get_xact_tuples_deleted('pg_shdepend'::regclass);
    EXECUTE format('ALTER SEQUENCE %s OWNER TO %s', present.name, present.owner);
    -- The server looks the name up again after each wait, and a schema can be renamed at any time. Where this sequence
    -- has its name, in the very row of its schema, the lock is on it. Else this undoes all, whatever it was done to.
    @lock_look@ INTO locked;
    IF locked.name IS DISTINCT FROM present.name OR locked.schema_row IS DISTINCT FROM present.schema_row THEN
        RAISE EXCEPTION 'sequence % has changed its name while its lock was waited for', {shown}
              USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Nothing was moved: check again.';
    END IF;
    -- The row that says who owns it is another one where somebody else did for a moment. The cluster's first superuser
    -- has none: then a row that was dropped here tells, and without statistics any change to the sequence's own row.
    IF locked.owner_row IS DISTINCT FROM present.owner_row
       OR locked.owner_row IS NULL AND locked.own_row <> present.own_row AND NOT is_held
          AND (pg_stat_get_xact_tuples_deleted('pg_shdepend'::regclass) > dropped
               OR NOT current_setting('track_counts')::boolean) THEN
        RAISE EXCEPTION 'the owner of sequence % has changed', {shown}
              USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Nothing was moved: check again.';
    END IF;
    IF NOT (@unchanged@) THEN
        RAISE EXCEPTION 'sequence % or what it feeds has changed since it was read', {shown}
              USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Nothing was moved: check again.';
    END IF;
    @state_look@
    @move_due@
    IF (reached * direction, is_called) < (target * direction, true) THEN
        IF {cache_size} > 1 THEN
            -- A new relation file: sessions notice it and throw away the values that they have cached, see
            -- init_sequence() in sequence.c. It is this sequence's, or all is undone.
            EXECUTE format('ALTER SEQUENCE %s RESTART WITH %s', locked.name, target);
            PERFORM FROM pg_class WHERE oid = {oid} AND relfilenode <> locked.file;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'the schema of sequence % has changed', {shown}
                      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Nothing was moved: check again.';
            END IF;
        END IF;
        PERFORM setval({oid}, target, true);
    END IF;
END
{quote}
