-- Every sequence of the current database: its definition, and what the current role may do with it.
--
-- * pg_sequence is readable by everyone and locks nothing; the view pg_sequences locks every sequence.
-- * Names are quoted here, by the server, so that Python never quotes an identifier.
-- * A sequence on another session's temporary table cannot be read by anybody else.
SELECT s.oid::bigint                                        AS oid,
       n.nspname::text                                      AS schema_name,
       s.relname::text                                      AS sequence_name,
       quote_ident(n.nspname)                               AS quoted_schema,
       x.qualified_name                                     AS qualified_name,
       format_type(q.seqtypid, NULL)                        AS data_type,
       q.seqstart                                           AS start_value,
       q.seqmin                                             AS min_value,
       q.seqmax                                             AS max_value,
       q.seqincrement                                       AS increment_by,
       q.seqcycle                                           AS cycle,
       q.seqcache                                           AS cache_size,
       quote_ident(pg_get_userbyid(s.relowner))             AS owner,
       -- The extension that it is a part of; NULL where its rows or those of its table are the user's: dumps carry them.
       (SELECT quote_ident(x.extname)
          FROM pg_depend e
          JOIN pg_extension x ON x.oid = e.refobjid
         WHERE e.classid = 'pg_class'::regclass AND e.objid = s.oid
           AND e.refclassid = 'pg_extension'::regclass AND e.deptype = 'e'
           AND NOT EXISTS (
               SELECT FROM unnest(x.extconfig) AS config (oid)
                WHERE config.oid = s.oid
                   OR EXISTS (SELECT FROM pg_depend d
                               WHERE d.classid = 'pg_class'::regclass AND d.objid = s.oid
                                 AND d.refclassid = 'pg_class'::regclass AND d.refobjid = config.oid
                                 AND d.deptype IN ('a', 'i'))
                   OR EXISTS (SELECT FROM pg_attrdef a
                                JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = a.oid
                               WHERE a.adrelid = config.oid
                                 AND d.refclassid = 'pg_class'::regclass AND d.refobjid = s.oid))) AS extension,
       may.use_schema                                       AS may_use_schema,
       may.read                                             AS may_select,
       -- Locking or altering a sequence takes its owner's rights (WITH INHERIT), see ALTER SEQUENCE.
       pg_has_role(s.relowner, 'USAGE')                     AS may_alter,
       pg_has_role(s.relowner, 'MEMBER')                    AS is_owners_member,
       may.draw                                             AS may_nextval,
       may.set                                              AS may_setval,
       @sequence_version@ AS version
  FROM pg_class s
  JOIN pg_namespace n ON n.oid = s.relnamespace
  JOIN pg_sequence q ON q.seqrelid = s.oid
 CROSS JOIN LATERAL (SELECT quote_ident(n.nspname) || '.' || quote_ident(s.relname) AS qualified_name) x
 -- NULL, of one that was dropped after the snapshot was taken. Asked of pg_sequence: of another relation it is an error.
 CROSS JOIN LATERAL (
       SELECT has_schema_privilege(n.oid, 'USAGE'), has_sequence_privilege(q.seqrelid, 'SELECT'),
              has_sequence_privilege(q.seqrelid, 'USAGE, UPDATE'), has_sequence_privilege(q.seqrelid, 'UPDATE')
       OFFSET 0) AS may (use_schema, read, draw, set)
 WHERE NOT pg_is_other_temp_schema(n.oid) AND may IS NOT NULL
 ORDER BY n.nspname, s.relname
