-- Call nextval() as long as the sequence has not passed the target, and return where it is: it moves forward and can
-- never move back. Each value is looked at, so it passes the target by one at most, however many do this at once. No call
-- where the sequence, or what it feeds, is not what was read (is_same), or where it was set back since (is_set_back).
--
-- In a transaction that has the sequence in its hold (hold.sql).
{begin}WITH RECURSIVE
state AS MATERIALIZED (
    SELECT x.last_value,
           @unchanged@ AS is_same,
           -- NULL: it has not been called yet, and the first call will tell where it stands.
           coalesce(x.last_value * ({direction}::numeric) < {last_value} * ({direction}::numeric), {is_called}) AS is_set_back
      FROM pg_sequence present, pg_sequence_last_value(present.seqrelid) AS x (last_value)
     WHERE present.seqrelid = {oid}
),
called (value, number) AS (
    SELECT nextval({oid}), 1
      FROM state
     WHERE is_same AND NOT is_set_back
       AND (last_value IS NULL OR last_value * ({direction}::numeric) < {target} * ({direction}::numeric))
     UNION ALL
    SELECT nextval({oid}), number + 1
      FROM called
     WHERE number < {calls} AND value * ({direction}::numeric) < {target} * ({direction}::numeric)
       -- With CACHE a session hands out first what it has cached earlier.
       AND ({cache_size} > 1 OR value * ({direction}::numeric) >= {last_value} * ({direction}::numeric))
)
SELECT coalesce(far.value, state.last_value) AS reached, state.is_same,
       state.is_set_back OR {cache_size} = 1 AND far.value * ({direction}::numeric) < {last_value} * ({direction}::numeric)
           AS is_set_back
  FROM state LEFT JOIN (SELECT value FROM called ORDER BY number DESC LIMIT 1) AS far ON true
