-- How it stands now; read by their names, as long as they are those of what was read before.
BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY;
SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL row_security = off; SET LOCAL quote_all_identifiers = off;
-- A name with U& is refused without.
SET LOCAL standard_conforming_strings = on;
SET LOCAL lock_timeout = {lock_timeout}; SET LOCAL statement_timeout = {statement_timeout};
DO {quote}
BEGIN
    IF current_setting('server_version_num')::integer >= 170000 THEN
        SET LOCAL transaction_timeout = 0;
    END IF;
    PERFORM set_config('restrict_nonsystem_relation_kind', '{kinds}', true)
      WHERE current_setting('restrict_nonsystem_relation_kind', true) IS NOT NULL;
    PERFORM FROM pg_class s
      JOIN pg_namespace n ON n.oid = s.relnamespace
     WHERE s.oid = {oid} AND s.relkind = 'S' AND format('%I.%I', n.nspname, s.relname) = {name};
    IF NOT FOUND OR NOT (@columns_unchanged@) THEN
        RAISE EXCEPTION 'sequence % or what it feeds has changed since it was read', {shown}
              USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Check again.';
    END IF;
END
{quote};
SELECT {shown} AS sequence, n.next_value, f.furthest_value,
       n.next_value BETWEEN {lowest} AND {highest}
       AND coalesce((n.next_value - f.furthest_value) * sign({increment_by}::numeric) > 0, true) AS in_sync
  FROM (SELECT s.last_value::numeric + s.is_called::integer * {increment_by} AS next_value
          FROM @state@) AS n,
       (SELECT {furthest_value} AS furthest_value) AS f;
ROLLBACK
