-- The domains in the type of pg_attribute a. Their constraints have no table: to look for conrelid = 0 as well is cheap to
-- the planner. By contypid alone, of which nearly all have the same, it would read all constraints for each.
SELECT y.oid, y.typbasetype FROM pg_type y WHERE y.oid = a.atttypid AND y.typtype = 'd'
 UNION
SELECT y.oid, y.typbasetype FROM layer JOIN pg_type y ON y.oid = layer.typbasetype AND y.typtype = 'd'
