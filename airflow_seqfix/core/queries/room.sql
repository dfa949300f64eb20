-- How many more connections the server takes from roles without a reserved one. Its own processes count as connections.
SELECT current_setting('max_connections')::int
     - current_setting('superuser_reserved_connections')::int
     - COALESCE(current_setting('reserved_connections', true)::int, 0)
     - (SELECT count(*)::int FROM pg_stat_activity)
