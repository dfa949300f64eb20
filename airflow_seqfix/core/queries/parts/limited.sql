-- The limits that CHECK constraints set for pg_attribute a, of the table or of the column's domain: comparisons with constants,
-- joined by AND. They are read from the stored tree: pg_get_constraintdef() would wait for a lock on the table. A tree that
-- looks different sets no limit. With them those of partitions, which parts/bounded.sql has found.
SELECT max(b.smallest_value)::bigint AS smallest_value, min(b.largest_value)::bigint AS largest_value,
       (array_agg(b.name ORDER BY b.smallest_value DESC NULLS LAST, b.name))[1] AS smallest_by,
       (array_agg(b.name ORDER BY b.largest_value, b.name))[1] AS largest_by
  FROM (SELECT format('CHECK constraint %I', k.conname) AS name,
               CASE o.oprname WHEN '>' THEN floor(v.value) + 1 WHEN '>=' THEN ceil(v.value) WHEN '=' THEN ceil(v.value) END
                   AS smallest_value,
               CASE o.oprname WHEN '<' THEN ceil(v.value) - 1 WHEN '<=' THEN floor(v.value) WHEN '=' THEN floor(v.value) END
                   AS largest_value
          FROM (SELECT k.oid, k.conname, k.conbin::text AS tree
                  FROM pg_constraint k
                 WHERE k.conrelid = a.attrelid AND k.contype = 'c' AND k.conkey @> ARRAY[a.attnum]
                   AND pg_column_size(k.conbin) <= 5000
                   -- NOT ENFORCED came with 18.
                   AND to_jsonb(k) ->> 'conenforced' IS DISTINCT FROM 'false'
                 UNION ALL
               (WITH RECURSIVE layer AS (
@layers@)
                SELECT k.oid, k.conname, k.conbin::text
                  FROM layer
                 CROSS JOIN LATERAL (
                       SELECT k.oid, k.conname, k.conbin
                         FROM pg_constraint k
                        WHERE k.conrelid = 0 AND k.contypid = layer.oid AND k.contype = 'c'
                          AND pg_column_size(k.conbin) <= 5000
                       OFFSET 0) k)
                 -- However many somebody has made.
                 ORDER BY 1
                 LIMIT 20) k
         -- A node of the tree, with six levels of others in it.
         CROSS JOIN LATERAL (
               SELECT repeat($re$\{[^{}]*(?:$re$, 6) || $re$\{[^{}]*\}$re$ || repeat($re$[^{}]*)*\}$re$, 6) AS node,
                      CASE WHEN k.tree LIKE '{BOOLEXPR :boolop and :args (%'
                           THEN regexp_replace(k.tree, $re$^\{[^{}]*|[^{}]*\}$$re$, '', 'g') ELSE k.tree END AS tree
               OFFSET 0) p
         -- What AND joins. Where more is left than that, it is too deep to be read.
         CROSS JOIN regexp_matches(CASE WHEN regexp_replace(p.tree, p.node, '', 'g') !~ '[{}]' THEN p.tree END, p.node, 'g')
                    AS c (conjunct)
         CROSS JOIN LATERAL (
               SELECT substring(c.conjunct[1] FROM $re$^\{OPEXPR :opno (\d+) $re$)::oid AS operator_oid,
                      ARRAY(SELECT m[1]
                              FROM regexp_matches(substr(c.conjunct[1], strpos(c.conjunct[1], ':args (')), p.node, 'g') AS m)
                          AS sides
               OFFSET 0) e
          JOIN pg_operator n ON n.oid = e.operator_oid AND n.oprnamespace = 'pg_catalog'::regnamespace
         -- As value OPERATOR constant.
         CROSS JOIN LATERAL (
               SELECT s.itself, s.constant, s.operator_oid
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
         UNION ALL
        SELECT tie.smallest_bound_by, tie.smallest_bound, NULL
         UNION ALL
        SELECT tie.largest_bound_by, NULL, tie.largest_bound) b
 WHERE coalesce(b.smallest_value, b.largest_value) BETWEEN -9223372036854775808 AND 9223372036854775807
