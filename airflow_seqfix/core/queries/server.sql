-- Where we are and who we are.
SELECT current_setting('server_version_num')::int   AS version_num,
       current_setting('server_version')            AS version,
       to_char(pg_postmaster_start_time() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS server_started_at,
       current_database()::text                     AS database,
       quote_literal(current_database())            AS database_literal,
       current_user::text                           AS role,
       quote_ident(current_user)                    AS quoted_role,
       session_user::text                           AS login,
       -- The first of these decides at login, and SET ROLE may have come after it.
       (SELECT CASE WHEN current_user = s.role THEN s.whom END
          FROM (SELECT substr(c.setting, length('role=') + 1) AS role,
                       CASE WHEN d.setrole = 0 AND d.setdatabase = 0 THEN 'ROLE ALL'
                            WHEN d.setrole = 0 THEN format('DATABASE %I', current_database())
                            WHEN d.setdatabase = 0 THEN format('ROLE %I', session_user)
                            ELSE format('ROLE %I IN DATABASE %I', session_user, current_database()) END AS whom
                  FROM pg_db_role_setting d
                 CROSS JOIN unnest(d.setconfig) AS c (setting)
                 WHERE c.setting LIKE 'role=%'
                   AND d.setrole IN (0, (SELECT r.oid FROM pg_roles r WHERE r.rolname = session_user))
                   AND d.setdatabase IN (0, (SELECT b.oid FROM pg_database b WHERE b.datname = current_database()))
                 ORDER BY d.setrole = 0, d.setdatabase = 0
                 LIMIT 1) s
         WHERE current_user <> session_user)          AS role_set_for,
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
