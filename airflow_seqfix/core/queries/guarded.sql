-- Move one sequence forward where it is still behind. Between the look and the setval() a writer can come in: not
-- proven against concurrent writers, and only run on request.
SELECT setval({sequence}::regclass, {target}, true)
  FROM {qualified_name}
 WHERE {increment_by} > 0 AND last_value < {target}
    OR {increment_by} < 0 AND last_value > {target}
    OR last_value = {target} AND NOT is_called
