-- The schemas that have a sequence.
SELECT DISTINCT quote_ident(n.nspname) AS name
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'S' AND NOT pg_is_other_temp_schema(n.oid)
 ORDER BY name
