-- The sequences that may feed the columns of tables: with the setting seqfix.tables, OIDs in JSON. Those of triggers are known.
--
-- By the indexes, whatever the planner thinks: of a few tables the rest of the catalogs is not read. From arrays, of which it
-- expects ten members: else it makes room for some hundred million tables.
WITH RECURSIVE
fed AS MATERIALIZED (
    SELECT t.oid
      FROM unnest(ARRAY(SELECT t.value::oid FROM json_array_elements_text(current_setting('seqfix.tables')::json) t)) AS t (oid)
),
below AS (
    SELECT f.oid FROM fed f
     UNION
    SELECT i.oid
      FROM below b
      JOIN pg_class c ON c.oid = b.oid
     CROSS JOIN LATERAL unnest(ARRAY(SELECT i.inhrelid FROM pg_inherits i
                                      WHERE i.inhparent = c.oid AND c.relhassubclass)) AS i (oid)
),
above AS (
    SELECT f.oid FROM fed f
     UNION
    SELECT i.oid
      FROM above a
     CROSS JOIN LATERAL unnest(ARRAY(SELECT i.inhparent FROM pg_inherits i WHERE i.inhrelid = a.oid)) AS i (oid)
),
place AS (
    SELECT t.oid
      FROM unnest(ARRAY(SELECT b.oid FROM below b UNION SELECT a.oid FROM above a)) AS t (oid)
     UNION
    -- Views, and views of those.
    SELECT v.oid
      FROM place p
     CROSS JOIN LATERAL unnest(ARRAY(
           SELECT w.ev_class
             FROM pg_depend d
             JOIN pg_rewrite w ON w.oid = d.objid
            WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = p.oid AND d.classid = 'pg_rewrite'::regclass)) AS v (oid)
)
SELECT DISTINCT s.oid::bigint AS oid
  FROM place p
 CROSS JOIN LATERAL unnest(ARRAY(
       SELECT e.refobjid
         FROM pg_attrdef d
         JOIN pg_depend e ON e.classid = 'pg_attrdef'::regclass AND e.objid = d.oid AND e.refclassid = 'pg_class'::regclass
        WHERE d.adrelid = p.oid
        UNION ALL
       SELECT e.objid
         FROM pg_depend e
        WHERE e.refclassid = 'pg_class'::regclass AND e.refobjid = p.oid AND e.refobjsubid > 0
          AND e.classid = 'pg_class'::regclass AND e.deptype IN ('a', 'i')
        UNION ALL
       SELECT e.refobjid
         FROM pg_attribute a
         JOIN pg_type t ON t.oid = a.atttypid AND t.typtype = 'd'
         JOIN pg_depend e ON e.classid = 'pg_type'::regclass AND e.objid = t.oid AND e.refclassid = 'pg_class'::regclass
        WHERE a.attrelid = p.oid AND a.attnum > 0)) AS s (oid)
  JOIN pg_sequence q ON q.seqrelid = s.oid
