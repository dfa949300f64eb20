-- The databases of this server that somebody can connect to; templates and what a failed DROP DATABASE left are none.
SELECT d.datname::text AS name
  FROM pg_database d
 WHERE d.datallowconn AND NOT d.datistemplate AND d.datconnlimit <> -2
 ORDER BY d.datname
