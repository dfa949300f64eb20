-- Which sequences the names of wanted (place, drawer, schema_oid, name) can mean, a few of each. They are counted for each owner
-- before they are paired, because somebody can make thousands of both.
same_name AS MATERIALIZED (
    SELECT c.oid, c.relname::text AS relname, c.relowner, c.relnamespace,
           row_number() OVER (PARTITION BY c.relname, c.relowner ORDER BY c.oid) AS nth
      FROM pg_class c
     WHERE c.relkind = 'S' AND c.relname::text IN (SELECT w.name FROM wanted w) AND NOT pg_is_other_temp_schema(c.relnamespace)
),
candidate AS (
    SELECT w.place, c.oid AS sequence_oid, c.relnamespace = w.schema_oid AS is_beside,
           @closeness@ AS distance
      FROM wanted w
      JOIN same_name c ON c.relname = w.name AND c.nth <= 20
     UNION
    SELECT w.place, c.oid, true, 1
      FROM wanted w
      JOIN same_name c ON c.relname = w.name AND c.relnamespace = w.schema_oid
),
closest AS (
    SELECT k.place, k.sequence_oid, count(*) OVER same AS candidates,
           row_number() OVER (same ORDER BY k.is_beside DESC, k.sequence_oid) AS nth
      FROM (SELECT c.*, min(c.distance) OVER (PARTITION BY c.place) AS shortest FROM candidate c) k
     WHERE k.distance = k.shortest
    WINDOW same AS (PARTITION BY k.place)
)
