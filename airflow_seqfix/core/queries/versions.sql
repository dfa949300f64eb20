-- How many there are, and a digest of the versions, of all catalog rows that verdicts rest on: equal before and after means
-- that none of them was changed in between. What VACUUM, ANALYZE, index builds, nextval() and setval() write does not count,
-- and neither do temporary tables. To be asked in a transaction of its own: an older snapshot shows older rows.
--
-- An xmin tells versions of a row apart: each is another transaction's. It is in the seed, beside the place, which needs 12
-- bits: hashint8() would fold OID and xmin into one number, their XOR, and rows that swap it would go unnoticed.
WITH relation AS MATERIALIZED (
    SELECT c.oid, c.xmin AS version
      FROM pg_class c
     WHERE c.relkind IN ('r', 'p', 'f', 'S', 'v', 'm') AND c.relpersistence <> 't' AND c.oid >= 16384
)
SELECT count(*), sum(hashoidextended(v.oid, (v.version::text::bigint << 12) | v.place))::text
  FROM (SELECT oid, version, 1 FROM relation
         UNION ALL
        SELECT a.attrelid, a.xmin, 1000 + a.attnum
          FROM pg_attribute a
          JOIN relation r ON r.oid = a.attrelid
         WHERE a.attnum > 0
         UNION ALL
        SELECT d.oid, d.xmin, 2 FROM pg_attrdef d JOIN relation r ON r.oid = d.adrelid
         UNION ALL
        SELECT q.seqrelid, q.xmin, 3 FROM pg_sequence q JOIN relation r ON r.oid = q.seqrelid
         UNION ALL
        SELECT i.inhrelid, i.xmin, 4 FROM pg_inherits i JOIN relation r ON r.oid = i.inhrelid
         UNION ALL
        SELECT n.oid, n.xmin, 5 FROM pg_namespace n WHERE n.nspname !~ '^pg_(toast_)?temp_'
         UNION ALL
        SELECT t.oid, t.xmin, 6 FROM pg_type t WHERE t.typtype = 'd' AND t.oid >= 16384
         UNION ALL
        SELECT k.oid, k.xmin, 9 FROM pg_constraint k WHERE k.contype = 'c' AND k.oid >= 16384
         UNION ALL
        SELECT p.oid, p.xmin, 7 FROM pg_proc p WHERE p.oid >= 16384
         UNION ALL
        SELECT g.oid, g.xmin, 8 FROM pg_trigger g WHERE NOT g.tgisinternal
         UNION ALL
        SELECT w.oid, w.xmin, 10 FROM pg_rewrite w WHERE w.ev_type = '3') AS v (oid, version, place)
