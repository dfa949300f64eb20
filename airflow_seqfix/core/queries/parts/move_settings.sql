SET LOCAL search_path = pg_catalog, pg_temp;
    SET LOCAL quote_all_identifiers = off;
    SET LOCAL lock_timeout = {lock_timeout};
    IF current_setting('server_version_num')::integer >= 170000 THEN
        -- It would end the session.
        SET LOCAL transaction_timeout = 0;
    END IF;
    -- Nobody waits for a lock as long as a synchronous standby is away: the run waits for it once, in the end.
    SET LOCAL synchronous_commit = local;
    IF current_database() <> {database} THEN
        RAISE EXCEPTION 'this plan was made for database %, and this is %', {database}, current_database()
              USING HINT = 'Connect to that database, or make a new plan here.';
    END IF;
