-- NULL where the type is no domain. The constraints of domains have no table: with that, a look at an index is cheap to
-- the planner, which else reads all constraints for each column, for nearly all have the same contypid.
(WITH RECURSIVE layer AS (
     SELECT y.oid, y.typbasetype FROM pg_type y WHERE y.oid = a.atttypid AND y.typtype = 'd'
      UNION
     SELECT y.oid, y.typbasetype FROM layer JOIN pg_type y ON y.oid = layer.typbasetype AND y.typtype = 'd')
 SELECT md5(string_agg(own.version, ',' ORDER BY layer.oid))
   FROM layer
  CROSS JOIN LATERAL (SELECT string_agg(concat_ws(' ', k.oid, k.xmin), ',' ORDER BY k.oid) AS version
                        FROM pg_constraint k
                       WHERE k.conrelid = 0 AND k.contypid = layer.oid AND k.contype = 'c') own)
