-- The versions of the catalog rows that say what a column is, how it draws, and which tables hold its rows; of
-- pg_namespace n, pg_class c and pg_attribute a. TRUNCATE and whatever rewrites a table change its row of pg_class.
concat_ws(' ', n.xmin, c.xmin, a.xmin,
          (SELECT d.xmin FROM pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum),
          (SELECT y.xmin FROM pg_type y WHERE y.oid = a.atttypid AND y.typtype = 'd'),
          -- ADD CONSTRAINT changes the table's row, and none of a domain's; ALTER CONSTRAINT changes its own alone.
          (SELECT md5(string_agg(concat_ws(' ', k.oid, k.xmin), ',' ORDER BY k.oid))
             FROM pg_constraint k WHERE k.conrelid = a.attrelid AND k.contype = 'c'),
          (WITH RECURSIVE layer AS (
               SELECT y.oid, y.typbasetype FROM pg_type y WHERE y.oid = a.atttypid AND y.typtype = 'd'
                UNION
               SELECT y.oid, y.typbasetype FROM layer JOIN pg_type y ON y.oid = layer.typbasetype AND y.typtype = 'd')
           SELECT md5(string_agg(concat_ws(' ', k.oid, k.xmin), ',' ORDER BY k.oid))
             FROM layer
             JOIN pg_constraint k ON k.contypid = layer.oid AND k.contype = 'c'),
          CASE WHEN c.relhassubclass THEN (
               WITH RECURSIVE member AS (
                   SELECT i.inhrelid AS oid, i.xmin AS tie
                     FROM pg_inherits i
                    WHERE i.inhparent = c.oid
                    UNION
                   SELECT i.inhrelid, i.xmin
                     FROM member
                     JOIN pg_inherits i ON i.inhparent = member.oid)
               SELECT md5(string_agg(concat_ws(' ', m.oid, m.tie, p.xmin), ',' ORDER BY m.oid, m.tie::text))
                 FROM member m
                 JOIN pg_class p ON p.oid = m.oid) END)
