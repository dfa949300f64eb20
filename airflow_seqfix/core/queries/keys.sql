-- Columns that an application or a trigger may fill: of a primary key or a unique index, a number, without a generator of
-- their own, and no reference to another table.
SELECT c.oid::bigint                                           AS table_oid,
       n.nspname::text                                         AS schema_name,
       c.relname::text                                         AS table_name,
       a.attname::text                                         AS column_name,
       a.attnum                                                AS column_number,
       quote_ident(n.nspname) || '.' || quote_ident(c.relname) || '.' || quote_ident(a.attname) AS qualified_name,
       i.is_alone                                              AS is_alone
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid
  JOIN pg_type t ON t.oid = a.atttypid
 CROSS JOIN LATERAL (
       SELECT bool_or(i.indnkeyatts = 1) AS is_alone
         FROM pg_index i
        WHERE i.indrelid = c.oid AND i.indisunique
          AND a.attnum = ANY ((i.indkey::smallint[])[0:i.indnkeyatts - 1])) i
 WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND i.is_alone IS NOT NULL
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND NOT pg_is_other_temp_schema(n.oid)
   AND a.attnum > 0 AND NOT a.attisdropped AND NOT a.atthasdef AND a.attidentity = ''
   AND CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
       IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype, 'numeric'::regtype)
   AND NOT EXISTS (SELECT FROM pg_constraint f
                    WHERE f.conrelid = c.oid AND f.contype = 'f' AND a.attnum = ANY (f.conkey))
 ORDER BY n.nspname, c.relname, a.attnum
