-- The tables in which the rows of a table lie: itself, its partitions, its inheritance children, and theirs. A name is
-- given so that it stands for the rows of that table alone.
WITH RECURSIVE member AS (
    SELECT {table_oid}::oid AS oid
     UNION
    SELECT i.inhrelid
      FROM member
      JOIN pg_inherits i ON i.inhparent = member.oid
)
SELECT CASE WHEN c.relhassubclass THEN 'ONLY ' ELSE '' END
       || quote_ident(n.nspname) || '.' || quote_ident(c.relname)             AS name,
       1 + (SELECT count(*) FROM pg_index i WHERE i.indrelid = c.oid)         AS relations,
       -- Grants and policies of the parent say nothing about a partition that is read by its own name.
       coalesce(has_schema_privilege(n.oid, 'USAGE')
                AND has_column_privilege(c.oid, a.attnum, 'SELECT')
                AND NOT row_security_active(c.oid), false)                    AS may_read
  FROM member
  JOIN pg_class c ON c.oid = member.oid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  -- Columns have the same names in all of them, though not the same numbers.
  JOIN pg_attribute p ON p.attrelid = {table_oid}::oid AND p.attnum = {column_number}
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = p.attname
 -- A partitioned table holds no rows itself.
 WHERE c.relkind <> 'p'
 ORDER BY n.nspname, c.relname
