-- The databases of the server that one can connect to, for who gives one where a table is meant.
SELECT d.datname::text AS name
  FROM pg_catalog.pg_database d
 WHERE d.datallowconn AND NOT d.datistemplate
 ORDER BY 1
