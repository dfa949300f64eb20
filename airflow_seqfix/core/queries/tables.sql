-- Every table with its columns, for the message to somebody who named one that is not there.
SELECT c.oid::bigint                                           AS oid,
       n.nspname::text                                         AS schema_name,
       c.relname::text                                         AS table_name,
       quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS qualified_name,
       c.relkind IN ('v', 'm')                                 AS is_view,
       quote_ident(rn.nspname) || '.' || quote_ident(r.relname) AS partition_of,
       a.column_names                                          AS column_names,
       a.column_numbers                                        AS column_numbers,
       a.columns                                               AS columns
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 LEFT JOIN (pg_class r JOIN pg_namespace rn ON rn.oid = r.relnamespace)
        ON c.relispartition AND r.oid = pg_partition_root(c.oid)
 CROSS JOIN LATERAL (
       SELECT coalesce(array_agg(a.attname::text ORDER BY a.attnum), '{}')        AS column_names,
              coalesce(array_agg(a.attnum ORDER BY a.attnum), '{}')               AS column_numbers,
              coalesce(array_agg(quote_ident(a.attname) ORDER BY a.attnum), '{}') AS columns
         FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) a
 WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm')
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
   AND NOT pg_is_other_temp_schema(n.oid)
 ORDER BY n.nspname, c.relname
