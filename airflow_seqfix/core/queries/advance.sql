-- Call nextval() where the sequence has not passed the target, and return where it is: it moves forward and can never
-- move back. No row, and no call, where the definition has changed.
SELECT CASE WHEN {increment_by} > 0 AND s.last_value < {target}
              OR {increment_by} < 0 AND s.last_value > {target}
              OR s.last_value = {target} AND NOT s.is_called
            THEN (SELECT {furthest}(nextval({oid})) FROM generate_series(1, {calls}))
            ELSE s.last_value
       END
  FROM {state} AS s, pg_sequence_parameters({oid}) AS p
 WHERE p.increment = {increment_by} AND NOT p.cycle_option
