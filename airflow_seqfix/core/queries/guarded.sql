-- Move one sequence forward where it is still behind. Between the look and the setval() a writer can come in: not
-- proven against concurrent writers, and only run on request.
DO {quote}
BEGIN{begin}
    SET LOCAL search_path = pg_catalog, pg_temp;
    SET LOCAL lock_timeout = {lock_timeout};
    SET LOCAL synchronous_commit = local;
    IF current_database() <> {database} THEN
        RAISE EXCEPTION 'this plan was made for database %, and this is %', {database}, current_database()
              USING HINT = 'Connect to that database, or make a new plan here.';
    END IF;
    PERFORM CASE WHEN {increment_by} > 0 AND s.last_value < {target}
                   OR {increment_by} < 0 AND s.last_value > {target}
                   OR s.last_value = {target} AND NOT s.is_called
                 THEN setval(q.seqrelid, {target}, true)
            END
       FROM {qualified_name} s
       JOIN pg_sequence q ON q.seqrelid = {oid} AND q.seqrelid = s.tableoid
      WHERE q.seqincrement = {increment_by} AND NOT q.seqcycle;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the definition of sequence % has changed', {name}
              USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Make a new plan.';
    END IF;
END
{quote}
