-- The tables and sequences that somebody names: with the setting seqfix.names, [[schema or null, name or null] and so on] in JSON.
-- Without a schema it is each of that name, without a name all in the schema.
WITH name AS MATERIALIZED (
    SELECT n.value ->> 0 AS schema_name, n.value ->> 1 AS relation_name
      FROM json_array_elements(current_setting('seqfix.names')::json) n
)
SELECT c.oid::bigint AS oid, c.relkind = 'S' AS is_sequence
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND NOT pg_is_other_temp_schema(n.oid)
   AND (c.relname::text IN (SELECT relation_name FROM name WHERE schema_name IS NULL)
        OR n.nspname::text IN (SELECT schema_name FROM name WHERE relation_name IS NULL)
        OR (n.nspname::text, c.relname::text) IN (SELECT schema_name, relation_name FROM name
                                                   WHERE schema_name IS NOT NULL AND relation_name IS NOT NULL))
