-- The limits that the bounds of partitions set: an insert into a table that is partitioned by ranges of the column needs a
-- partition for the value, unless there is a DEFAULT partition; and a partition takes by itself what lies within its own
-- bounds. They are read from the catalogs: pg_get_partition_constraintdef() would wait for a lock on the table above it. Each
-- table that is fed has its partitions read once, and each partition what lies above it. Full joins are never made by loops.
-- Where partitions leave gaps or go by lists, it is not known where the column ends; nor where a partition has partitions by
-- the column, but there other columns decide as well.
keyed AS MATERIALIZED (
    SELECT p.partrelid AS table_oid, p.partattrs[0] AS column_number, a.attname AS column_name, p.partdefid = 0 AS is_whole,
           p.partstrat = 'l' AS is_by_list
      FROM pg_partitioned_table p
      JOIN pg_opclass o ON o.oid = p.partclass[0]
     CROSS JOIN LATERAL (
           SELECT a.attname FROM pg_attribute a WHERE a.attrelid = p.partrelid AND a.attnum = p.partattrs[0] OFFSET 0) a
     WHERE p.partstrat IN ('r', 'l') AND o.oid < 16384
       AND o.opcintype IN (SELECT room.type_oid FROM room WHERE room.sign_width = 0)
),
whole AS MATERIALIZED (
    SELECT f.table_oid AS fed_oid, k.*
      FROM fed f
      FULL JOIN keyed k ON k.table_oid = f.table_oid
),
up AS (
    SELECT f.table_oid AS fed_oid, f.table_oid AS part_oid, i.inhparent, 1 AS depth
      FROM fed f
     CROSS JOIN LATERAL (SELECT i.inhparent FROM pg_inherits i WHERE i.inhrelid = f.table_oid OFFSET 0) i
     WHERE f.is_partition
     UNION ALL
    SELECT up.fed_oid, up.inhparent, i.inhparent, up.depth + 1
      FROM up
     CROSS JOIN LATERAL (SELECT i.inhparent FROM pg_inherits i WHERE i.inhrelid = up.inhparent OFFSET 0) i
     WHERE up.depth < 10
),
above_it AS MATERIALIZED (
    SELECT up.fed_oid, up.part_oid, k.column_name
      FROM up
      FULL JOIN keyed k ON k.table_oid = up.inhparent
),
ranged AS (
    -- Of a partitioned table its partitions, whose bounds are as wide as all of them together.
    SELECT w.fed_oid AS table_oid, w.column_number, true AS is_whole, i.oid AS part_oid
      FROM whole w
     CROSS JOIN LATERAL unnest(ARRAY(
           SELECT i.inhrelid
             FROM pg_inherits i
            WHERE i.inhparent = w.fed_oid AND to_jsonb(i) ->> 'inhdetachpending' IS DISTINCT FROM 'true')) AS i (oid)
     WHERE w.fed_oid IS NOT NULL AND w.is_whole AND NOT w.is_by_list
     UNION ALL
    -- Of a partition its own and those of the tables above, each for itself.
    SELECT u.fed_oid, a.attnum, false, u.part_oid
      FROM above_it u
     CROSS JOIN LATERAL (
           SELECT a.attnum FROM pg_attribute a WHERE a.attrelid = u.fed_oid AND a.attname = u.column_name OFFSET 0) a
),
-- A bound that is no number, MAXVALUE or 'NaN', is none.
bound AS (
    SELECT r.table_oid, r.column_number, r.is_whole,
           ceil(substring(b.bound FROM $re$^FOR VALUES FROM \('?(-?[0-9.]+(?:e[+-]?[0-9]+)?)'?[,)]$re$)::numeric)
               AS smallest_value,
           -- Where further columns follow, rows with the bound itself may be let through; but for MINVALUE, before all others.
           CASE WHEN t.last[2] IN (')', ', MINVALUE') THEN ceil(t.last[1]::numeric) - 1 ELSE floor(t.last[1]::numeric) END
               AS largest_value
      FROM ranged r
     CROSS JOIN LATERAL (SELECT pg_get_expr(c.relpartbound, 0) AS bound FROM pg_class c WHERE c.oid = r.part_oid OFFSET 0) b
     CROSS JOIN LATERAL (
           SELECT regexp_match(b.bound, $re$^FOR VALUES FROM \((?:[^'()]|'(?:[^']|'')*')*\) TO \($re$
                                        || $re$'?(-?[0-9.]+(?:e[+-]?[0-9]+)?)'?(\)|, MINVALUE|, )$re$) AS last OFFSET 0) t
),
-- The tables above those that are partitioned by the column themselves.
beneath AS (
    SELECT k.table_oid AS part_oid, k.column_name, i.inhparent AS table_oid, 1 AS depth
      FROM keyed k
     CROSS JOIN LATERAL (SELECT i.inhparent FROM pg_inherits i WHERE i.inhrelid = k.table_oid OFFSET 0) i
     WHERE k.is_whole
     UNION ALL
    SELECT b.part_oid, b.column_name, i.inhparent, b.depth + 1
      FROM beneath b
     CROSS JOIN LATERAL (SELECT i.inhparent FROM pg_inherits i WHERE i.inhrelid = b.table_oid OFFSET 0) i
     WHERE b.depth < 10
),
divided AS MATERIALIZED (
    SELECT f.table_oid, b.column_name
      FROM fed f
      FULL JOIN (SELECT DISTINCT b.table_oid, b.column_name FROM beneath b) b ON b.table_oid = f.table_oid
),
unknown AS (
    SELECT g.table_oid, g.column_number, true AS is_alone
      FROM (SELECT b.table_oid, b.column_number, b.smallest_value - 1 > lag(b.largest_value) OVER place AS is_gap
              FROM bound b
             WHERE b.is_whole
            WINDOW place AS (PARTITION BY b.table_oid, b.column_number ORDER BY b.smallest_value NULLS FIRST)) g
     WHERE g.is_gap
     UNION ALL
    SELECT w.fed_oid, w.column_number, true FROM whole w WHERE w.fed_oid IS NOT NULL AND w.is_whole AND w.is_by_list
     UNION ALL
    SELECT d.table_oid, a.attnum, false
      FROM divided d
     CROSS JOIN LATERAL (
           SELECT a.attnum FROM pg_attribute a WHERE a.attrelid = d.table_oid AND a.attname = d.column_name OFFSET 0) a
),
bounded AS MATERIALIZED (
    SELECT w.table_oid, w.column_number, max(w.smallest_value) AS smallest_value, min(w.largest_value) AS largest_value,
           bool_or(w.is_unknown) AS is_unknown, bool_or(w.is_alone) AS is_alone,
           (array_agg(w.name ORDER BY w.smallest_value DESC NULLS LAST))[1] AS smallest_by,
           (array_agg(w.name ORDER BY w.largest_value))[1] AS largest_by
      FROM (SELECT b.table_oid, b.column_number, 'its partitions' AS name, false AS is_unknown, false AS is_alone,
                   CASE WHEN bool_and(b.smallest_value IS NOT NULL) THEN min(b.smallest_value) END AS smallest_value,
                   CASE WHEN bool_and(b.largest_value IS NOT NULL) THEN max(b.largest_value) END AS largest_value
              FROM bound b
             WHERE b.is_whole
             GROUP BY b.table_oid, b.column_number
             UNION ALL
            SELECT b.table_oid, b.column_number, 'its own partition bounds', false, false, b.smallest_value, b.largest_value
              FROM bound b
             WHERE NOT b.is_whole
             UNION ALL
            SELECT u.table_oid, u.column_number, NULL, true, u.is_alone, NULL, NULL
              FROM unknown u) w
     GROUP BY w.table_oid, w.column_number
),
