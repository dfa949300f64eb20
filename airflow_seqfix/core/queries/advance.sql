-- Call nextval() and return the last value: it moves a sequence forward and can never move it back. No row, and no
-- call, where the definition has changed.
SELECT {furthest}(nextval(q.seqrelid))
  FROM pg_sequence q
 CROSS JOIN generate_series(1, {calls})
 WHERE q.seqrelid = {sequence}::regclass
   AND q.seqincrement = {increment_by} AND NOT q.seqcycle
