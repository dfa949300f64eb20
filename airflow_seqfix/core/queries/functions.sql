-- Every function of a user whose text has nextval in it; what belongs to an extension is none.
SELECT quote_ident(n.nspname) || '.' || quote_ident(f.proname) AS name,
       -- What is longer is not read.
       left(f.prosrc, 100000)                                  AS source,
       (SELECT substr(s.setting, 13) FROM unnest(f.proconfig) AS s (setting)
         WHERE starts_with(s.setting, 'search_path='))         AS search_path
  FROM pg_proc f
  JOIN pg_namespace n ON n.oid = f.pronamespace
 WHERE f.oid >= 16384 AND f.prosrc ~* 'nextval'
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e')
 ORDER BY n.nspname, f.proname
