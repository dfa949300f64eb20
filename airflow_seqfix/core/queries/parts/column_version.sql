-- The versions of the catalog rows that say what a column is, how it draws, and which tables hold its rows; of
-- pg_namespace n, pg_class c and pg_attribute a. TRUNCATE and whatever rewrites a table change its row of pg_class.
concat_ws(' ', n.xmin, c.xmin, a.xmin,
          (SELECT d.xmin FROM pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum),
          (SELECT y.xmin FROM pg_type y WHERE y.oid = a.atttypid AND y.typtype = 'd'),
          -- ADD CONSTRAINT changes the table's row, and none of a domain's; ALTER CONSTRAINT changes its own alone.
          (SELECT md5(string_agg(concat_ws(' ', k.oid, k.xmin), ',' ORDER BY k.oid))
             FROM pg_constraint k WHERE k.conrelid = a.attrelid AND k.contype = 'c'),
          @domain_version@,
          @members_version@)
