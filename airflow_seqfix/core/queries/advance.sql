-- Call nextval() where the sequence has not passed the target, and return where it is: it moves forward and can never
-- move back. No row, and no call, where the definition has changed.
SELECT CASE WHEN {increment_by} > 0 AND s.last_value < {target}
              OR {increment_by} < 0 AND s.last_value > {target}
              OR s.last_value = {target} AND NOT s.is_called
            THEN (SELECT {furthest}(n.value) FROM (SELECT nextval(q.seqrelid) AS value FROM generate_series(1, {calls})) n)
            ELSE s.last_value
       END
  FROM {qualified_name} s
  JOIN pg_sequence q ON q.seqrelid = {oid} AND q.seqrelid = s.tableoid
 WHERE q.seqincrement = {increment_by} AND NOT q.seqcycle
