-- Move one sequence forward where it is still behind. Between the look and the setval() a writer can come in: not
-- proven against concurrent writers, and only run on request.
SELECT setval({sequence}::regclass, {target}, true)
  FROM {qualified_name}
 WHERE sign({increment_by}) * last_value < sign({increment_by}) * {target}
    OR last_value = {target} AND NOT is_called
