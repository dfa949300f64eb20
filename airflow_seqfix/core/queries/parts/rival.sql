-- Another sequence whose values land in the same column. Each tie goes upwards, to the few tables above its own, and tables
-- where sequences meet are left: nothing is paired with all that lies below it.
--
-- A view's column is that of the same name in the table it shows, if the view's owner may insert there: anybody can make one.
-- It is of the house if he has the rights of the table's owner.
shown AS (
    SELECT t.sequence_oid, t.feed, t.table_oid AS oid, a.attname AS column_name, 0 AS depth, true AS is_of_house
      FROM weighed t
     CROSS JOIN LATERAL (
           SELECT a.attname FROM pg_attribute a WHERE a.attrelid = t.table_oid AND a.attnum = t.column_number OFFSET 0) a
     WHERE t.is_view AND t.is_trusted AND t.feed <> 'ambiguous'
     UNION
    SELECT s.sequence_oid, s.feed, d.refobjid, s.column_name, s.depth + 1, s.is_of_house AND d.is_of_house
      FROM shown s
      JOIN pg_class v ON v.oid = s.oid AND v.relkind = 'v'
     CROSS JOIN LATERAL (SELECT w.oid FROM pg_rewrite w WHERE w.ev_class = s.oid OFFSET 0) w
     CROSS JOIN LATERAL (
           SELECT d.refobjid, d.refobjsubid, pg_has_role(v.relowner, b.relowner, 'USAGE') AS is_of_house
             FROM pg_depend d
             JOIN pg_class b ON b.oid = d.refobjid
            WHERE d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
              AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.refobjid <> s.oid
           OFFSET 0) d
     CROSS JOIN LATERAL (
           SELECT FROM pg_attribute a
            WHERE a.attrelid = d.refobjid AND a.attnum = d.refobjsubid AND a.attname = s.column_name
           OFFSET 0) a
     WHERE s.depth < 10 AND has_table_privilege(v.relowner, d.refobjid, 'INSERT')
),
placed AS (
    SELECT t.sequence_oid, t.table_oid, t.column_number, NULL::name AS column_name, t.feed, w.is_partition, true AS is_of_house,
           p.oid AS place_oid
      FROM weighed t
      JOIN fed w ON w.table_oid = t.table_oid
     CROSS JOIN LATERAL unnest(t.table_oid::bigint || w.ancestors) AS p (oid)
     WHERE t.is_trusted AND NOT t.is_view AND t.feed NOT IN ('undrawn', 'ambiguous')
     UNION ALL
    SELECT s.sequence_oid, s.oid, NULL, s.column_name, s.feed, false, s.is_of_house, p.oid
      FROM shown s
      LEFT JOIN fed w ON w.table_oid = s.oid
     CROSS JOIN LATERAL unnest(s.oid::bigint || coalesce(w.ancestors, '{}')) AS p (oid)
     WHERE s.depth > 0
),
-- By sorting, so that no estimate of the planner's makes it a loop in a loop. First by tables: most have one sequence.
gathered AS (
    SELECT p.sequence_oid, p.table_oid, p.column_number, coalesce(p.column_name, a.attname) AS column_name, p.feed,
           p.is_partition, p.is_of_house, p.place_oid
      FROM (SELECT p.*, min(p.sequence_oid) OVER place AS least, max(p.sequence_oid) OVER place AS most
              FROM placed p
            WINDOW place AS (PARTITION BY p.place_oid)) p
      LEFT JOIN LATERAL (
           SELECT a.attname FROM pg_attribute a WHERE a.attrelid = p.table_oid AND a.attnum = p.column_number OFFSET 0) a ON true
     WHERE p.least <> p.most
),
met AS MATERIALIZED (
    -- Of a trigger nobody knows whether it ever draws, where a default has filled the column.
    SELECT p.*, p.table_oid = p.place_oid AS is_here,
           p.feed IN ('identity', 'default', 'domain', 'late_bound') AS is_by_default
      FROM (SELECT p.*, min(p.sequence_oid) OVER place AS least, max(p.sequence_oid) OVER place AS most
              FROM gathered p
            WINDOW place AS (PARTITION BY p.place_oid, p.column_name)) p
     WHERE p.least <> p.most
),
-- What a read of the table reads; and what a partition is inserted through. Two joins, neither of which has many on both sides.
beside AS (
    SELECT m.sequence_oid, m.table_oid, m.column_number, o.sequence_oid AS other_oid, o.feed AS other_feed,
           m.is_by_default AND o.is_by_default AND o.is_of_house AND (o.table_oid = m.table_oid OR o.is_partition) AS is_twin
      FROM met m
      JOIN met o ON o.place_oid = m.place_oid AND o.column_name = m.column_name
     WHERE m.is_here AND m.column_number IS NOT NULL AND m.feed NOT IN ('wrapped', 'mapping') AND o.sequence_oid <> m.sequence_oid
     UNION ALL
    SELECT m.sequence_oid, m.table_oid, m.column_number, o.sequence_oid, o.feed,
           m.is_by_default AND o.is_by_default AND o.is_of_house
      FROM met m
      JOIN met o ON o.place_oid = m.place_oid AND o.column_name = m.column_name AND o.is_here
     WHERE m.is_partition AND NOT m.is_here AND m.feed NOT IN ('wrapped', 'mapping') AND o.sequence_oid <> m.sequence_oid
),
rival AS (
    -- Of several the one that begins next, of those that begin further on than the sequence does.
    SELECT DISTINCT ON (m.sequence_oid, m.table_oid, m.column_number)
           m.sequence_oid, m.table_oid, m.column_number, format('%I.%I', n.nspname, s.relname) AS name, b.start_value
      FROM beside m
      JOIN pg_class s ON s.oid = m.other_oid
      JOIN pg_namespace n ON n.oid = s.relnamespace
      JOIN pg_sequence q ON q.seqrelid = m.sequence_oid
      JOIN pg_sequence r ON r.seqrelid = m.other_oid
     CROSS JOIN LATERAL (SELECT sign(q.seqincrement)::numeric AS direction) d
     CROSS JOIN LATERAL (
           -- Steps that never meet need no ranges.
           SELECT CASE WHEN sign(r.seqincrement) = d.direction AND r.seqstart * d.direction > q.seqstart * d.direction
                        AND mod(r.seqstart::numeric - q.seqstart, gcd(q.seqincrement::numeric, r.seqincrement)) = 0
                       THEN r.seqstart END AS start_value) b
     -- Whoever maps two to one column says that each has to pass all of it.
     WHERE m.other_feed <> 'mapping' OR b.start_value IS NOT NULL
     ORDER BY m.sequence_oid, m.table_oid, m.column_number, b.start_value * d.direction, n.nspname, s.relname
),
-- Another sequence whose values land in the same indexes, of a table or of its partitions, and in the same direction. It is read
-- with the table, and keeps a move from being made: whoever may only insert has no say in that, nor in whether it can be read.
twin AS (
    SELECT DISTINCT ON (m.sequence_oid, m.table_oid, m.column_number)
           m.sequence_oid, m.table_oid, m.column_number, m.other_oid, format('%I.%I', n.nspname, s.relname) AS name,
           r.seqstart, r.seqincrement,
           has_sequence_privilege(s.oid, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE') AS may_read
      FROM beside m
      JOIN pg_class s ON s.oid = m.other_oid
      JOIN pg_namespace n ON n.oid = s.relnamespace
      JOIN pg_sequence q ON q.seqrelid = m.sequence_oid
      JOIN pg_sequence r ON r.seqrelid = m.other_oid AND sign(r.seqincrement) = sign(q.seqincrement)
     WHERE m.is_twin
     ORDER BY m.sequence_oid, m.table_oid, m.column_number, n.nspname, s.relname
),
-- Joined by themselves, and by full joins, which are never made by loops: among all the other joins the planner would expect
-- a few rows, and look through all for each. What no column draws for has no table in the end.
rivalled AS MATERIALIZED (
    SELECT t.*, w.relations, w.estimated_rows, w.has_foreign, w.is_deep, w.ancestors, w.code, g.changed_by,
           r.name AS rival, r.start_value AS rival_start,
           b.smallest_value AS smallest_bound, b.largest_value AS largest_bound,
           b.smallest_by AS smallest_bound_by, b.largest_by AS largest_bound_by, b.is_unknown AS has_unknown_bounds, b.is_alone AS are_bounds_alone,
           o.name AS twin, o.other_oid AS twin_oid, o.seqstart AS twin_start, o.seqincrement AS twin_increment,
           o.may_read AS may_read_twin
      FROM weighed t
      FULL JOIN fed w ON w.table_oid = t.table_oid
      FULL JOIN changed g ON g.table_oid = t.table_oid AND g.column_number = t.column_number
      FULL JOIN rival r ON r.sequence_oid = t.sequence_oid AND r.table_oid = t.table_oid AND r.column_number = t.column_number
      FULL JOIN bounded b ON b.table_oid = t.table_oid AND b.column_number = t.column_number
      FULL JOIN twin o ON o.sequence_oid = t.sequence_oid AND o.table_oid = t.table_oid AND o.column_number = t.column_number
),
