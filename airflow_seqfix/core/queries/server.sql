-- Where we are and who we are.
SELECT current_setting('server_version_num')::int   AS version_num,
       current_setting('server_version')            AS version,
       to_char(pg_postmaster_start_time() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS server_started_at,
       current_database()::text                     AS database,
       quote_literal(current_database())            AS database_literal,
       current_user::text                           AS role,
       quote_ident(current_user)                    AS quoted_role,
       (SELECT CASE WHEN r.rolsuper THEN 'superuser'
                    -- From 14 on there is such a role.
                    WHEN EXISTS (SELECT FROM pg_roles a
                                  WHERE a.rolname = 'pg_read_all_data' AND pg_has_role(a.oid, 'USAGE'))
                    THEN 'pg_read_all_data' END
          FROM pg_roles r
         WHERE r.rolname = current_user)               AS privileged,
       pg_is_in_recovery()                          AS in_recovery,
       EXISTS (SELECT FROM pg_language l
                WHERE l.lanname = 'plpgsql' AND has_language_privilege(l.oid, 'USAGE')) AS may_run_blocks,
       current_setting('synchronous_commit') NOT IN ('off', 'local')
           AND current_setting('synchronous_standby_names') <> '' AS waits_for_standbys
