-- Call nextval() as long as the sequence has not passed the target, and return where it is: it moves forward and can
-- never move back. Each value is looked at, so it passes the target by one at most, however many do this at once. No call
-- where the sequence, or what it feeds, is not what was read (is_same), or where it was set back since (is_set_back).
--
-- In a transaction that has the sequence in its hold (hold.sql).
{begin}WITH RECURSIVE
state AS MATERIALIZED (
    SELECT s.last_value, s.is_called,
           @unchanged@ AS is_same,
           (s.last_value * ({direction}::numeric), s.is_called) < ({last_value} * ({direction}::numeric), {is_called})
               AS is_set_back
      FROM @state@
),
called (value, before, number) AS (
    SELECT nextval({oid}), last_value, 1
      FROM state
     WHERE is_same AND NOT is_set_back
       AND (last_value * ({direction}::numeric), is_called) < ({target} * ({direction}::numeric), true)
     UNION ALL
    SELECT nextval({oid}), value, number + 1
      FROM called
     WHERE number < {calls}
       -- With CACHE a session hands out first what it has cached earlier, which does not tell where the sequence stands.
       AND (value * ({direction}::numeric) < {target} * ({direction}::numeric)
            OR {cache_size} > 1
               AND coalesce(pg_sequence_last_value({oid}) * ({direction}::numeric) < {target} * ({direction}::numeric), true))
       AND ({cache_size} > 1 OR value * ({direction}::numeric) >= before * ({direction}::numeric))
)
SELECT CASE WHEN far.value IS NULL THEN state.last_value
            ELSE ({direction} * least(far.value * ({direction}::numeric), present.value * ({direction}::numeric)))::bigint
       END AS reached,
       state.is_same,
       state.is_set_back OR {cache_size} = 1 AND far.value * ({direction}::numeric) < far.before * ({direction}::numeric)
           OR present.value * ({direction}::numeric) < state.last_value * ({direction}::numeric) AS is_set_back
  FROM state
  LEFT JOIN (SELECT value, before FROM called ORDER BY number DESC LIMIT 1) AS far ON true
 -- Looked at after the calls: it takes their result.
 CROSS JOIN LATERAL (
       SELECT CASE WHEN far.value IS NOT NULL THEN coalesce(pg_sequence_last_value({oid}), state.last_value) END
       OFFSET 0) AS present (value)
