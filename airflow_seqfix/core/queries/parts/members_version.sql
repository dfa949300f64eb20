-- NULL where the table has neither partitions nor children, never had any, and is no partition, which the tables above bound.
-- From arrays, of which the planner expects ten members: it makes room for what it expects, for each table again.
nullif(concat_ws(' ', CASE WHEN c.relhassubclass THEN (
     WITH RECURSIVE member AS (
         SELECT p.oid, p.xmin, p.relhassubclass
           FROM unnest(ARRAY(SELECT i.inhrelid FROM pg_inherits i WHERE i.inhparent = c.oid)) AS i (oid)
          CROSS JOIN LATERAL (SELECT p.oid, p.xmin, p.relhassubclass FROM pg_class p WHERE p.oid = i.oid OFFSET 0) p
          UNION
         SELECT p.oid, p.xmin, p.relhassubclass
           FROM member
          CROSS JOIN LATERAL unnest(ARRAY(SELECT i.inhrelid FROM pg_inherits i
                                           WHERE i.inhparent = member.oid AND member.relhassubclass)) AS i (oid)
          CROSS JOIN LATERAL (SELECT p.oid, p.xmin, p.relhassubclass FROM pg_class p WHERE p.oid = i.oid OFFSET 0) p)
     SELECT md5(string_agg(concat_ws(' ', m.oid, m.xmin, i.ties), ',' ORDER BY m.oid))
       FROM member m
      CROSS JOIN LATERAL (
            SELECT string_agg(concat_ws(' ', i.inhparent, i.xmin), ' ' ORDER BY i.inhparent) AS ties
              FROM pg_inherits i
             WHERE i.inhrelid = m.oid
            OFFSET 0) i) END,
     -- ATTACH and DETACH change the row of what they move.
     CASE WHEN c.relispartition THEN (
     WITH RECURSIVE above AS (
         SELECT i.oid FROM unnest(ARRAY(SELECT i.inhparent FROM pg_inherits i WHERE i.inhrelid = c.oid)) AS i (oid)
          UNION ALL
         SELECT i.oid
           FROM above
          CROSS JOIN LATERAL unnest(ARRAY(SELECT i.inhparent FROM pg_inherits i WHERE i.inhrelid = above.oid)) AS i (oid))
     SELECT md5(string_agg(concat_ws(' ', p.oid, p.xmin), ',' ORDER BY p.oid))
       FROM above
      CROSS JOIN LATERAL (SELECT p.oid, p.xmin FROM pg_class p WHERE p.oid = above.oid OFFSET 0) p) END), '')
