-- Which sequences a name without a schema can mean, for each role that looks it up, and each schema with tables that it does
-- that for: a list of [role, schema, name].
WITH wanted AS MATERIALIZED (
    SELECT (e.value ->> 0)::oid AS drawer, (e.value ->> 1)::oid AS schema_oid, e.value ->> 2 AS name, e.place
      FROM json_array_elements(current_setting('seqfix.lookups')::json) WITH ORDINALITY AS e (value, place)
),
@closest@
SELECT c.place::integer AS place, c.sequence_oid::bigint AS sequence_oid
  FROM closest c
 WHERE c.nth <= 3
 ORDER BY c.place, c.nth
