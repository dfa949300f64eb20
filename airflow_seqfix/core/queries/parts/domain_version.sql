-- NULL where the type is no domain.
(WITH RECURSIVE layer AS (
@layers@)
 SELECT md5(string_agg(own.version, ',' ORDER BY layer.oid))
   FROM layer
  CROSS JOIN LATERAL (SELECT string_agg(concat_ws(' ', k.oid, k.xmin), ',' ORDER BY k.oid) AS version
                        FROM pg_constraint k
                       WHERE k.conrelid = 0 AND k.contypid = layer.oid AND k.contype = 'c') own)
