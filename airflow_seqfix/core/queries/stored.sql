-- Which keys functions with a stored body (BEGIN ATOMIC, 14+) may fill from sequences: the catalogs know what each refers to,
-- and the columns that it inserts into by their numbers. What belongs to an extension is none.
SELECT quote_ident(n.nspname) || '.' || quote_ident(f.proname) AS name,
       s.refobjid::bigint                                      AS sequence_oid,
       c.refobjid::bigint                                      AS table_oid,
       c.refobjsubid                                           AS column_number
  FROM pg_depend s
  JOIN pg_sequence q ON q.seqrelid = s.refobjid
  JOIN pg_proc f ON f.oid = s.objid
  JOIN pg_namespace n ON n.oid = f.pronamespace
  JOIN pg_depend c ON c.classid = s.classid AND c.objid = s.objid AND c.refclassid = 'pg_class'::regclass
 -- CMD_INSERT, see nodes.h; 13 has no such bodies.
 WHERE to_jsonb(f) ->> 'prosqlbody' LIKE '%{QUERY :commandType 3 %'
   AND s.classid = 'pg_proc'::regclass AND s.refclassid = 'pg_class'::regclass AND c.refobjsubid > 0
   AND f.oid >= 16384
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e')
 ORDER BY n.nspname, f.proname, c.refobjid, c.refobjsubid
