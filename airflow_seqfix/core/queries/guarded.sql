-- Move one sequence forward where it is still behind. Between the look and the setval() a writer can come in: not
-- proven against concurrent writers, and only run on request. No row, and no move, where the definition has changed.
SELECT CASE WHEN {increment_by} > 0 AND s.last_value < {target}
              OR {increment_by} < 0 AND s.last_value > {target}
              OR s.last_value = {target} AND NOT s.is_called
            THEN setval(q.seqrelid, {target}, true)
            ELSE s.last_value
       END
  FROM {qualified_name} s
  JOIN pg_sequence q ON q.seqrelid = {sequence}::regclass AND q.seqrelid = s.tableoid
 WHERE q.seqincrement = {increment_by} AND NOT q.seqcycle AND current_database() = {database}
