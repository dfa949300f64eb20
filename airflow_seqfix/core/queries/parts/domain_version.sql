-- NULL where the type is no domain.
(WITH RECURSIVE layer AS (
     SELECT y.oid, y.typbasetype FROM pg_type y WHERE y.oid = a.atttypid AND y.typtype = 'd'
      UNION
     SELECT y.oid, y.typbasetype FROM layer JOIN pg_type y ON y.oid = layer.typbasetype AND y.typtype = 'd')
 SELECT md5(string_agg(concat_ws(' ', k.oid, k.xmin), ',' ORDER BY k.oid))
   FROM layer
   JOIN pg_constraint k ON k.contypid = layer.oid AND k.contype = 'c')
