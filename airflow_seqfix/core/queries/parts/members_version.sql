-- NULL where the table has neither partitions nor children, and never had any.
CASE WHEN c.relhassubclass THEN (
     WITH RECURSIVE member AS (
         SELECT i.inhrelid AS oid, i.xmin AS tie
           FROM pg_inherits i
          WHERE i.inhparent = c.oid
          UNION
         SELECT i.inhrelid, i.xmin
           FROM member
           JOIN pg_inherits i ON i.inhparent = member.oid)
     SELECT md5(string_agg(concat_ws(' ', m.oid, m.tie, p.xmin), ',' ORDER BY m.oid, m.tie::text))
       FROM member m
       JOIN pg_class p ON p.oid = m.oid) END
