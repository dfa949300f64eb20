-- How it stands now.
BEGIN READ ONLY;
SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL row_security = off;
SET LOCAL lock_timeout = {lock_timeout}; SET LOCAL statement_timeout = {statement_timeout};
SELECT {name} AS sequence, n.next_value, f.furthest_value,
       n.next_value BETWEEN {lowest} AND {highest}
       AND coalesce((n.next_value - f.furthest_value) * sign({increment_by}::numeric) > 0, true) AS in_sync
  FROM (SELECT s.last_value::numeric + s.is_called::integer * {increment_by} AS next_value
          FROM {qualified_name} AS s) AS n,
       (SELECT {furthest_value} AS furthest_value) AS f;
COMMIT
