-- BEFORE INSERT row triggers that give a column something else than what nextval() has returned, by the text of their
-- functions. They fire on the table itself, or on one of which a read of it reads the rows. Both texts and tables are looked
-- at only where a column draws.
fired AS MATERIALIZED (
    SELECT t.tgrelid AS table_oid, t.tgfoid AS function_oid, t.tgqual::text AS condition,
           format('trigger %I of %I.%I', t.tgname, n.nspname, c.relname) AS name
      FROM pg_trigger t
      JOIN pg_class c ON c.oid = t.tgrelid
      JOIN pg_namespace n ON n.oid = c.relnamespace
     -- ROW, BEFORE and INSERT, see TRIGGER_TYPE_ROW and the like in pg_trigger.h.
     WHERE t.tgtype & 7 = 7 AND t.tgenabled IN ('O', 'A')
),
drawn_name AS MATERIALIZED (
    SELECT DISTINCT a.attname::text AS attname
      FROM tie t
     CROSS JOIN LATERAL (
           SELECT a.attname FROM pg_attribute a WHERE a.attrelid = t.table_oid AND a.attnum = t.column_number OFFSET 0) a
),
-- What one owner has written costs no more than so much time, however much it is.
readable AS MATERIALIZED (
    SELECT f.oid, f.prosrc,
           sum(length(f.prosrc)) OVER (PARTITION BY f.proowner ORDER BY length(f.prosrc), f.oid) AS read
      FROM pg_proc f
      JOIN pg_language l ON l.oid = f.prolang AND l.lanname = 'plpgsql'
     WHERE f.oid IN (SELECT function_oid FROM fired) AND length(f.prosrc) <= 100000
),
body AS MATERIALIZED (
    SELECT f.oid, f.prosrc ~* 'nextval' AS draws,
           -- Without comments and strings. Each of them goes to the end of the text where it has no end of its own.
           regexp_replace(regexp_replace(f.prosrc, $re$("(?:[^"]|"")*(?:"|$))|\m[eE]'(?:[^'\\]|\\.|'')*(?:'|$)|'(?:[^']|'')*(?:'|$)|$re$
                                    || $re$--[^\n]*|/\*(?:[^*]|\*+[^*/])*(?:\*+/|\**$)$re$,
                          '\1 ', 'g'), '"new"', 'new', 'g') AS text
      FROM readable f
     WHERE f.read <= 1000000 AND f.prosrc ~* '\mnew\M'
),
-- What may give the whole row other values: NEW as a target, another name for it, as an argument of CALL, or another row that is
-- returned. So does a column of it that FOREACH or GET DIAGNOSTICS fills, and a name in another spelling.
replacing AS MATERIALIZED (
    SELECT b.oid
      FROM body b
     WHERE b.text ~* $re$(?:;|\mthen|\melse|\mbegin|\mloop)\s*(?:\w+\s*\.\s*)?new\s*:?=$re$
        OR b.text ~* $re$\minto\s+(?:strict\s+)?(?:[\w.]+\s*,\s*)*new\M(?!\s*\.)$re$
        OR b.text ~* $re$\mfor(?:each)?\s+new\M|\malias\s+for\s+new\M|\mdiagnostics\s[^;]*\mnew\s*\.|\mcall\s[^;]*\mnew\M|\mu&"$re$
        OR b.text ~* $re$\mreturn\M(?!\s*(?:\(\s*)?(?:new|old|null|coalesce\s*\(\s*(?:new\s*,\s*old|old\s*,\s*new)\s*\))\s*(?:\)\s*)?;)$re$
),
-- What stands before it, the column, and the value: of NEW.column := value, and of SELECT value INTO NEW.column.
given AS (
    SELECT b.oid, b.draws, m[1] AS before, m[2] AS target, m[3] AS value, false AS is_query
      FROM body b
     CROSS JOIN regexp_matches(b.text, $re$
           (\mif[\s(]+new\s*\.\s*"?\w+"?\s+is\s+null[\s)]*then|;|\mthen|\melse|\mbegin|\mloop)
           \s*(?:\w+\s*\.\s*)?new\s*\.\s*("(?:[^"]|"")+"|\w+)\s*:?=([^;]*)$re$, 'gix') AS m
     UNION
    -- One query may have many targets: of its text so much is looked at.
    SELECT b.oid, b.draws, m[1], n[1], left(m[2], 5000), true
      FROM body b
     CROSS JOIN regexp_matches(b.text, $re$
           (\mif[\s(]+new\s*\.\s*"?\w+"?\s+is\s+null[\s)]*then|;|\mthen|\melse|\mbegin|\mloop)
           \s*((?:select|with|fetch|insert|update|delete|merge)\M[^;]*)$re$, 'gix') AS m
     -- A list of names, each in one way only: a text that can be read in two ways takes time without end.
     CROSS JOIN regexp_matches(m[2], $re$
           \minto\s+(?:strict\s+)?((?:"(?:[^"]|"")+"|\w+)(?:\s*[.,]\s*(?:"(?:[^"]|"")+"|\w+))*)$re$, 'gix') AS l
     CROSS JOIN regexp_matches(l[1], $re$\mnew\s*\.\s*("(?:[^"]|"")+"|\w+)$re$, 'gi') AS n
),
-- As the catalogs have the column, where one of that name draws.
assigned AS MATERIALIZED (
    SELECT g.*, c.column_name
      FROM given g
     CROSS JOIN LATERAL (
           SELECT CASE WHEN g.target LIKE '"%' THEN replace(substr(g.target, 2, length(g.target) - 2), '""', '"')
                       ELSE lower(g.target) END AS column_name) c
     WHERE c.column_name IN (SELECT attname FROM drawn_name)
),
-- In the value # stands for NEW.column, and @ for what nextval() returns.
changing AS MATERIALIZED (
    SELECT DISTINCT g.oid AS function_oid, g.column_name
      FROM assigned g
     CROSS JOIN LATERAL (
           SELECT '\mnew\s*\.\s*' || regexp_replace(g.target, '(\W)', '\\\1', 'g') || '(?!\w)' AS itself) c
     CROSS JOIN LATERAL (
           SELECT btrim(regexp_replace(regexp_replace(regexp_replace(g.value, c.itself, '#', 'gi'),
                      $re$(?:\mpg_catalog\s*\.\s*)?\m(?:nextval|currval|lastval)\s*\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)$re$, '@', 'gi'),
                      $re$::\s*\w+(?:\s*\(\s*[0-9]+(?:\s*,\s*0)?\s*\))?$re$, '', 'g'), E' \t\r\n') AS value) v
     WHERE NOT (g.before ~* '\mif' AND g.before ~* c.itself)
       -- OLD is of updates.
       AND v.value !~* '\mold\s*\.'
       AND CASE WHEN g.is_query THEN v.value !~ '@' OR v.value ~ '[-+*/%|]'
                ELSE v.value !~* ($re$^[\s(]*(?:(?:select\s+|cast\s*\(\s*)?@(?:\s+(?:as|from)\s+\w+)?|#|null|$re$
                                  || $re$case\s+when\s+#\s+is\s+(?:not\s+)?null\s+then\s+[@#]\s+else\s+[@#]\s+end|$re$
                                  || $re$(?:lower|upper|[lrb]?trim)\s*\(\s*#\s*\)|coalesce\s*\(\s*#\s*,$re$
                                  || $re$(?:[^()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))*\))[\s)]*$$re$)
                     -- A variable may have taken it.
                     AND NOT (g.draws AND v.value ~ '^[\s(]*\w+[\s)]*$') END
     UNION
    SELECT r.oid, a.attname::text
      FROM replacing r
      JOIN fired f ON f.function_oid = r.oid
      JOIN pg_attribute a ON a.attrelid = f.table_oid AND a.attnum > 0 AND a.attname IN (SELECT attname FROM drawn_name)
),
-- Upwards from the few triggers that are left.
fired_for AS MATERIALIZED (
    SELECT f.table_oid, f.table_oid AS fired_oid, f.condition, f.name, c.column_name
      FROM fired f
      JOIN changing c ON c.function_oid = f.function_oid
     UNION
    SELECT i.inhparent, b.fired_oid, b.condition, b.name, b.column_name
      FROM fired_for b
     CROSS JOIN LATERAL (SELECT i.inhparent FROM pg_inherits i WHERE i.inhrelid = b.table_oid OFFSET 0) i
),
changed AS MATERIALIZED (
    SELECT f.table_oid, a.attnum AS column_number, min(f.name) AS changed_by
      FROM fired_for f
      JOIN pg_attribute a ON a.attrelid = f.table_oid AND a.attname = f.column_name
      JOIN pg_attribute m ON m.attrelid = f.fired_oid AND m.attname = f.column_name AND NOT m.attisdropped
     -- WHEN (NEW.column IS NULL): never of what a default has drawn. NEW is range table entry 2.
     WHERE f.condition IS NULL
        OR f.condition NOT LIKE format('{NULLTEST :arg {VAR :varno 2 :varattno %s %%:nulltesttype 0 %%', m.attnum)
     GROUP BY f.table_oid, a.attnum
),
