-- Every trigger that may draw from a sequence for the rows that are inserted: enabled, BEFORE INSERT, for each row, and
-- with a function whose text has the word in it. Of a partitioned table its own, and not what its partitions have of it.
SELECT t.tgrelid::bigint                                    AS table_oid,
       n.nspname::text                                      AS schema_name,
       n.oid::bigint                                        AS schema_oid,
       c.relname::text                                      AS table_name,
       quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS qualified_table,
       c.relkind = 'p'                                      AS is_partitioned,
       quote_ident(t.tgname)                                AS trigger_name,
       l.lanname::text                                      AS language,
       -- What is longer is not read; a person has not written it.
       CASE WHEN length(f.prosrc) <= 100000 THEN f.prosrc END AS source,
       -- Texts that end with a zero byte, as bytes.
       ARRAY(SELECT convert_from(decode(a.part, 'escape'), getdatabaseencoding())
               FROM regexp_split_to_table(encode(t.tgargs, 'escape'), $re$(?<!\\)(?:\\\\)*\\000$re$) WITH ORDINALITY AS a (part, place)
              WHERE a.place <= t.tgnargs
              ORDER BY a.place)                             AS arguments,
       (SELECT substr(s.setting, 13) FROM unnest(f.proconfig) AS s (setting)
         WHERE starts_with(s.setting, 'search_path='))      AS search_path,
       CASE WHEN f.prosecdef THEN f.proowner::bigint END    AS definer,
       (CASE WHEN f.prosecdef THEN f.proowner ELSE c.relowner END)::bigint AS drawer,
       a.column_names                                       AS column_names,
       a.column_numbers                                     AS column_numbers
  FROM pg_trigger t
  JOIN pg_proc f ON f.oid = t.tgfoid
  JOIN pg_language l ON l.oid = f.prolang
  JOIN pg_class c ON c.oid = t.tgrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 CROSS JOIN LATERAL (
       SELECT coalesce(array_agg(a.attname::text ORDER BY a.attnum), '{}') AS column_names,
              coalesce(array_agg(a.attnum ORDER BY a.attnum), '{}')        AS column_numbers
         FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) a
 -- ROW, BEFORE and INSERT, see TRIGGER_TYPE_ROW and the like in pg_trigger.h.
 WHERE t.tgtype & 7 = 7 AND t.tgenabled IN ('O', 'A') AND t.tgparentid = 0
   -- autoinc() is of the extension of that name, which takes columns and sequences in turn as its arguments.
   AND (f.prosrc ~* 'nextval' OR (l.lanname = 'c' AND f.prosrc = 'autoinc'))
   AND NOT pg_is_other_temp_schema(n.oid)
 ORDER BY n.nspname, c.relname, t.tgname
