-- The relations that somebody else keeps readers out of, or is about to: tables, with those above them, and sequences. A
-- lock on an index counts for its table.
WITH RECURSIVE blocked AS (
    SELECT coalesce(i.indrelid, l.relation) AS oid
      FROM pg_locks l
      LEFT JOIN pg_index i ON i.indexrelid = l.relation
     WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'
       AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
       AND l.pid IS DISTINCT FROM pg_backend_pid()
     UNION
    SELECT i.inhparent
      FROM blocked b
     CROSS JOIN LATERAL (SELECT i.inhparent FROM pg_inherits i WHERE i.inhrelid = b.oid OFFSET 0) i
)
SELECT b.oid::bigint
  FROM blocked b
