-- Every table with its columns, for the message to somebody who named one that is not there.
SELECT n.nspname::text                                         AS schema_name,
       c.relname::text                                         AS table_name,
       quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS qualified_name,
       ARRAY(SELECT quote_ident(a.attname)
               FROM pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
              ORDER BY a.attnum)                               AS columns
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm')
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
   AND NOT pg_is_other_temp_schema(n.oid)
 ORDER BY n.nspname, c.relname
