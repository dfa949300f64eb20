SELECT format('%I.%I', n.nspname, s.relname) AS name, quote_ident(pg_get_userbyid(s.relowner)) AS owner,
           n.xmin::text AS schema_row, d.xmin::text AS owner_row,
           s.xmin::text AS own_row, s.relfilenode AS file
      FROM pg_class s
      JOIN pg_namespace n ON n.oid = s.relnamespace
      LEFT JOIN pg_shdepend d ON d.dbid = (SELECT b.oid FROM pg_database b WHERE b.datname = current_database())
                             AND d.classid = 'pg_class'::regclass AND d.objid = s.oid AND d.deptype = 'o'
     WHERE s.oid = {oid} AND s.relkind = 'S'
