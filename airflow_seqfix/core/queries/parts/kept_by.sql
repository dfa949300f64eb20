-- Why ALTER TABLE cannot give a column a larger type, of pg_class c and pg_attribute a. The first that the server would name
-- in RememberAllDependentForRebuilding() of tablecmds.c is enough.
CASE WHEN c.reloftype <> 0 THEN 'its table is of a composite type'
     WHEN a.attinhcount > 0 THEN 'it is inherited'
     WHEN c.relkind = 'p' AND EXISTS (SELECT FROM pg_partitioned_table p
                                       WHERE p.partrelid = c.oid AND a.attnum = ANY (p.partattrs::smallint[]))
     THEN 'it is part of the partition key'
     ELSE (SELECT min(CASE WHEN d.classid = 'pg_rewrite'::regclass THEN 'a view or rule uses it'
                           WHEN d.classid = 'pg_trigger'::regclass THEN 'a trigger uses it'
                           WHEN d.classid = 'pg_policy'::regclass THEN 'a row-level security policy uses it'
                           WHEN d.classid = 'pg_publication_rel'::regclass THEN 'a publication uses it'
                           WHEN d.classid = 'pg_proc'::regclass THEN 'a function uses it'
                           -- Until 14 the generated column itself depends on it, then what it is generated from.
                           WHEN d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid > 0
                                OR d.classid = 'pg_attrdef'::regclass
                                   AND (SELECT g.adnum <> a.attnum FROM pg_attrdef g WHERE g.oid = d.objid)
                           THEN 'a generated column uses it' END)
             -- By the index, whatever the planner thinks of catalogs that nobody has analyzed.
             FROM (SELECT d.classid, d.objid, d.objsubid FROM pg_depend d
                    WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.refobjsubid = a.attnum
                   OFFSET 0) d) END
