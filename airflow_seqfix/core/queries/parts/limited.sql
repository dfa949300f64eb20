-- The limits that CHECK constraints set for pg_attribute a, of the table or of the column's domain: comparisons with constants,
-- joined by AND. They are read from the stored tree: pg_get_constraintdef() would wait for a lock on the table. A tree that
-- looks different sets no limit; where it may, it is named as one that is not read, with whether it is of this column alone.
-- With them the limits of partitions, which parts/bounded.sql has found.
SELECT max(b.smallest_value)::bigint AS smallest_value, min(b.largest_value)::bigint AS largest_value,
       (array_agg(b.name ORDER BY b.smallest_value DESC NULLS LAST, b.name) FILTER (WHERE NOT b.is_unread))[1] AS smallest_by,
       (array_agg(b.name ORDER BY b.largest_value, b.name) FILTER (WHERE NOT b.is_unread))[1] AS largest_by,
       min(b.name) FILTER (WHERE b.is_unread AND b.is_alone) AS unread_check,
       min(b.name) FILTER (WHERE b.is_unread AND NOT b.is_alone) AS unread_beside
  FROM (SELECT format('CHECK constraint %I', k.conname) AS name, k.is_alone,
               CASE x.oprname WHEN '>' THEN floor(x.value) + 1 WHEN '>=' THEN ceil(x.value) WHEN '=' THEN ceil(x.value) END
                   AS smallest_value,
               CASE x.oprname WHEN '<' THEN ceil(x.value) - 1 WHEN '<=' THEN floor(x.value) WHEN '=' THEN floor(x.value) END
                   AS largest_value,
               -- What cannot end a column: what does not mention it, IS NOT NULL, IS DISTINCT FROM, <>, two columns, a remainder.
               x.value IS NULL AND coalesce(c.conjunct, k.tree, k.mention) ~ k.mention
               AND (c.conjunct IS NULL OR c.conjunct !~ '^[{](NULLTEST|DISTINCTEXPR) ')
               AND n.oprname IS DISTINCT FROM '<>'
               AND NOT coalesce(e.sides[1] ~ '^[{]VAR ' AND e.sides[2] ~ '^[{]VAR ', false)
               AND NOT coalesce(e.sides[2] ~ '^[{]CONST ' AND (
                       SELECT r.oprname FROM pg_operator r
                        WHERE r.oid = substring(e.sides[1] FROM $re$^\{OPEXPR :opno (\d+) $re$)::oid) = '%', false) AS is_unread
          FROM (SELECT k.oid, k.conname, CASE WHEN pg_column_size(k.conbin) <= 5000 THEN k.conbin::text END AS tree,
                       cardinality(k.conkey) = 1 AS is_alone, format(':varattno %s ', a.attnum) AS mention
                  FROM pg_constraint k
                 WHERE k.conrelid = a.attrelid AND k.contype = 'c' AND k.conkey @> ARRAY[a.attnum]
                   -- NOT ENFORCED came with 18.
                   AND to_jsonb(k) ->> 'conenforced' IS DISTINCT FROM 'false'
                 UNION ALL
               (WITH RECURSIVE layer AS (
@layers@)
                SELECT k.oid, k.conname, k.tree, true, 'COERCETODOMAINVALUE'
                  FROM layer
                 CROSS JOIN LATERAL (
                       SELECT k.oid, k.conname, CASE WHEN pg_column_size(k.conbin) <= 5000 THEN k.conbin::text END AS tree
                         FROM pg_constraint k
                        WHERE k.conrelid = 0 AND k.contypid = layer.oid AND k.contype = 'c'
                       OFFSET 0) k)
                 -- However many somebody has made.
                 ORDER BY 1
                 LIMIT 20) k
         -- A node of the tree, with six levels of others in it; and what is around the members of an AND.
         CROSS JOIN LATERAL (
               SELECT repeat($re$\{[^{}]*(?:$re$, 6) || $re$\{[^{}]*\}$re$ || repeat($re$[^{}]*)*\}$re$, 6) AS node,
                      '{BOOLEXPR :boolop and :args (%' AS joined, $re$^\{[^{}]*|[^{}]*\}$$re$ AS around
               OFFSET 0) p
         CROSS JOIN LATERAL (
               SELECT CASE WHEN k.tree LIKE p.joined THEN regexp_replace(k.tree, p.around, '', 'g') ELSE k.tree END AS tree OFFSET 0) q
         -- What AND joins, and in that again: BETWEEN is one of its own. Where more is left than that, it is too deep to be read.
          LEFT JOIN LATERAL regexp_matches(CASE WHEN regexp_replace(q.tree, p.node, '', 'g') !~ '[{}]' THEN q.tree END, p.node, 'g')
                    AS f (found) ON true
         CROSS JOIN LATERAL unnest(CASE WHEN f.found[1] LIKE p.joined THEN ARRAY(
                    SELECT m[1] FROM regexp_matches(regexp_replace(f.found[1], p.around, '', 'g'), p.node, 'g') AS m)
                    ELSE ARRAY[f.found[1]] END) AS j (conjunct)
         -- NOT (...), which stands for another operator, and (...) IS TRUE or IS NOT FALSE.
         CROSS JOIN LATERAL (
               SELECT substring(j.conjunct FROM $re$^\{BOOLEXPR :boolop not :args \((\{OPEXPR .*\})\)[^{}]*\}$$re$) AS negated,
                      substring(j.conjunct FROM $re$^\{BOOLEANTEST :arg (\{OPEXPR .*\}) :booltesttype [03] [^{}]*\}$$re$) AS tested
               OFFSET 0) u
         CROSS JOIN LATERAL (SELECT coalesce(u.negated, u.tested, j.conjunct) AS conjunct OFFSET 0) c
         CROSS JOIN LATERAL (
               SELECT substring(c.conjunct FROM $re$^\{OPEXPR :opno (\d+) $re$)::oid AS operator_oid,
                      ARRAY(SELECT m[1] FROM regexp_matches(substr(c.conjunct, strpos(c.conjunct, ':args (')), p.node, 'g') AS m)
                          AS sides
               OFFSET 0) e
          LEFT JOIN pg_operator g ON g.oid = e.operator_oid
          LEFT JOIN pg_operator n ON n.oid = CASE WHEN u.negated IS NULL THEN g.oid ELSE g.oprnegate END
                                 AND n.oprnamespace = 'pg_catalog'::regnamespace
          LEFT JOIN LATERAL (
         -- As value OPERATOR constant.
        SELECT o.oprname, v.value
          FROM (SELECT s.itself, s.constant, s.operator_oid
                  FROM (VALUES (e.sides[1], e.sides[2], n.oid), (e.sides[2], e.sides[1], n.oprcom)) AS s (itself, constant, operator_oid)
                 WHERE cardinality(e.sides) = 2
                   AND s.itself ~ $re$^\{(?:(?:RELABELTYPE|FUNCEXPR) [^{}]*\{)?(?:VAR|COERCETODOMAINVALUE) $re$
                   AND coalesce(substring(s.itself FROM $re$:varattno (\d+)$re$)::integer, a.attnum) = a.attnum
                   AND s.constant ~ $re$^\{(?:(?:RELABELTYPE|FUNCEXPR) [^{}]*\{)?CONST [^{}]*:constisnull false $re$) s
          JOIN pg_operator o ON o.oid = s.operator_oid AND o.oprname IN ('<', '<=', '=', '>=', '>')
         CROSS JOIN LATERAL (
               SELECT substring(s.constant FROM $re$:consttype (\d+)$re$)::oid AS type_oid,
                      ARRAY(SELECT y.byte::integer & 255
                              FROM unnest(string_to_array(substring(s.constant FROM $re$\[ ([^]]+) \]$re$), ' ')) AS y (byte))
                          AS bytes,
                      ARRAY[substring(s.itself FROM $re$^\{FUNCEXPR :funcid (\d+)$re$)::oid,
                            substring(s.constant FROM $re$^\{FUNCEXPR :funcid (\d+)$re$)::oid]  AS functions
               OFFSET 0) t
         -- An integer from its bytes, the last of which has the sign; a numeric from its weight and digits, as numeric.c has them
         -- behind a header of four bytes.
         CROSS JOIN LATERAL (
               SELECT CASE t.type_oid WHEN 'smallint'::regtype THEN 2 WHEN 'integer'::regtype THEN 4 WHEN 'oid'::regtype THEN 8
                                      WHEN 'bigint'::regtype THEN 8 END AS length,
                      t.bytes[5] + 256 * t.bytes[6] AS header,
                      t.type_oid = 'numeric'::regtype AND t.bytes[1] & 3 = 0 AND t.bytes[6] & 192 <> 192 AS is_numeric) w
         CROSS JOIN LATERAL (
               SELECT CASE WHEN w.header & 32768 = 0 THEN (t.bytes[7] + 256 * t.bytes[8]) << 16 >> 16
                           WHEN w.header & 64 = 0 THEN w.header & 63 ELSE (w.header & 63) - 64 END AS weight,
                      CASE WHEN w.header & 32768 = 0 THEN 9 ELSE 7 END AS first,
                      CASE WHEN w.header & CASE WHEN w.header & 32768 = 0 THEN 16384 ELSE 8192 END = 0 THEN 1 ELSE -1 END AS sign
               OFFSET 0) d
         CROSS JOIN LATERAL (
               SELECT CASE WHEN w.length IS NOT NULL THEN (
                                SELECT ((bit_or(y.byte::bigint << 8 * (y.place::integer - 1)) << 64 - 8 * w.length)
                                        >> 64 - 8 * w.length)::numeric
                                  FROM unnest(t.bytes) WITH ORDINALITY AS y (byte, place)
                                 WHERE y.place <= w.length)
                           WHEN w.is_numeric AND d.weight BETWEEN -5 AND 5 THEN (
                                SELECT coalesce(d.sign * sum((t.bytes[y.place] + 256 * t.bytes[y.place + 1])
                                                             * 10000::numeric ^ (d.weight - (y.place - d.first) / 2)), 0)
                                  FROM generate_series(d.first, cardinality(t.bytes) - 1, 2) AS y (place)) END AS value
               OFFSET 0) v
         -- Functions that convert one type of numbers to another, and keep their order.
         WHERE NOT EXISTS (
                   SELECT FROM unnest(t.functions) AS f (oid)
                    WHERE f.oid IS NOT NULL
                      AND NOT EXISTS (
                              SELECT
                                FROM pg_cast k
                                JOIN pg_type g ON g.oid = k.castsource
                                JOIN pg_type h ON h.oid = k.casttarget
                               WHERE k.castfunc = f.oid AND g.oid <> h.oid AND g.typcategory = 'N' AND h.typcategory = 'N'))
           -- Of a constant that is passed by value, the bytes are in the order of the machine.
           AND version() !~ 's390|powerpc64-|ppc64-'
           AND v.value IS NOT NULL) x ON true
         UNION ALL
        SELECT tie.smallest_bound_by, true, tie.smallest_bound, NULL, false
         UNION ALL
        SELECT tie.largest_bound_by, true, NULL, tie.largest_bound, false
         UNION ALL
        SELECT 'partitioning', tie.are_bounds_alone, NULL, NULL, true
         WHERE tie.has_unknown_bounds) b
 WHERE coalesce(b.smallest_value, b.largest_value) BETWEEN -9223372036854775808 AND 9223372036854775807 OR b.is_unread
