-- Transactions that hold a lock with which rows are written, by table. Prepared transactions have no pid.
--
-- A row that is written to a partition or an inheritance child counts for all tables above it.
WITH RECURSIVE written AS (
    SELECT l.relation AS table_oid, l.virtualtransaction
      FROM pg_locks l
     WHERE l.locktype = 'relation' AND l.granted
       AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
       AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
       AND l.pid IS DISTINCT FROM pg_backend_pid()
     UNION
    SELECT i.inhparent, w.virtualtransaction
      FROM written w
     -- By the index, whatever the planner thinks: else each level would read all of it.
     CROSS JOIN LATERAL (SELECT i.inhparent FROM pg_inherits i WHERE i.inhrelid = w.table_oid OFFSET 0) i
)
SELECT w.table_oid::bigint, w.virtualtransaction
  FROM written w
