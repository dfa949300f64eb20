-- From the sequence itself: what nextval() returns can be a value that this session has cached. By its name, which can be
    -- another's by now: a view is refused where the server knows that, and no other relation has this OID.
    kinds := current_setting('restrict_nonsystem_relation_kind', true);
    PERFORM set_config('restrict_nonsystem_relation_kind', 'view, foreign-table', true) WHERE kinds IS NOT NULL;
    EXECUTE format('SELECT s.last_value, s.is_called FROM %s AS s WHERE %L::regclass = %3$s AND s.tableoid = %3$s',
                   {name}, {name}, {oid}) INTO reached, is_called;
    -- Event triggers may read views.
    PERFORM set_config('restrict_nonsystem_relation_kind', kinds, true) WHERE kinds IS NOT NULL;
    IF reached IS NULL THEN
        RAISE EXCEPTION 'sequence % has changed its name while it was looked at', {shown}
              USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Nothing was moved: check again.';
    END IF;
