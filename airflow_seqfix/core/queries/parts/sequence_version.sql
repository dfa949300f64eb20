-- The versions of the catalog rows that say what a sequence is; of pg_namespace n, pg_class s and pg_sequence q.
concat_ws(' ', n.xmin, s.xmin, q.xmin)
