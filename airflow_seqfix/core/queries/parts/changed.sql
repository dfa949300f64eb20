-- What gives a column something else than nextval() has returned: BEFORE INSERT row triggers, by the text of their functions,
-- and ON INSERT rules. They fire on the table itself, or on one of which a read of it reads the rows. Both texts and tables
-- are looked at only where a column draws.
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
    SELECT f.oid, t.text, f.prosrc ~* 'nextval' AS draws, t.text ~* 'nextval' AS draws_plainly
      FROM readable f
     CROSS JOIN LATERAL (
           -- Without comments and strings. Each of them goes to the end of the text where it has no end of its own.
           SELECT regexp_replace(regexp_replace(f.prosrc, $re$("(?:[^"]|"")*(?:"|$))|\m[eE]'(?:[^'\\]|\\.|'')*(?:'|$)|'(?:[^']|'')*(?:'|$)|$re$
                                    || $re$(?<![\w$])\$(?:[a-z_]\w*)?\$(?:[^$]|\$[0-9])*\$(?:[a-z_]\w*)?\$|$re$
                                    || $re$--[^\n]*|/\*(?:[^*]|\*+[^*/])*(?:\*+/|\**$)$re$,
                          $re$\1 $re$, 'gi'), '"new"', 'new', 'g') AS text
           OFFSET 0) t
     WHERE f.read <= 1000000
),
-- What may give the whole row other values: NEW as a target, another name for it or another row of its name, as an argument of
-- CALL, or anything else that is returned. So does a column of it that FOREACH or GET DIAGNOSTICS fills, and a name in another
-- spelling. OLD is NULL on INSERT, and can be assigned to and returned like NEW.
replacing AS MATERIALIZED (
    SELECT b.oid
      FROM body b
     WHERE b.text ~* $re$(?:;|\mthen|\melse|\mbegin|\mloop)\s*(?:(?:"[^"]*"|\w+)\s*\.\s*)?(?:new|old)\s*:?=$re$
        OR b.text ~* $re$\minto\s+(?:strict\s+)?(?:(?:"(?:[^"]|"")+"|\w+)\s*[.,]\s*)*(?:new|old)\M(?!\s*\.)$re$
        OR b.text ~* $re$(?:\mfor(?:each)?|\malias\s+for)\s+(?:new|old)\M|(?:\mdeclare|;)\s*(?:new|old)\s+["\w]$re$
        OR b.text ~* $re$\mdiagnostics\s[^;]*\m(?:new|old)\s*\.|\mcall\s[^;]*\m(?:new|old)\M|\mu&"$re$
        OR b.text ~* ($re$\mreturn\M(?!\s*(?:\(\s*)*(?:new|old|null|$re$
                      || $re$coalesce\s*\(\s*(?:new|old|null)(?:\s*,\s*(?:new|old|null))*\s*\))\s*(?:\)\s*)*;)$re$)
),
-- What stands before it, the column, and the value: of NEW.column := value, and of SELECT value INTO NEW.column.
given AS (
    SELECT b.oid, b.draws, b.draws_plainly, m[1] AS before, m[2] AS target, m[3] AS value, false AS is_query, false AS is_dynamic
      FROM body b
     CROSS JOIN regexp_matches(b.text, $re$
           (\mif[\s(]+new\s*\.\s*"?\w+"?\s+is\s+null[\s)]*then|;|\mthen|\melse|\mbegin|\mloop)
           \s*(?:(?:"[^"]*"|\w+)\s*\.\s*)?(?:new|old)\s*\.\s*("(?:[^"]|"")+"|\w+)\s*:?=([^;]*)$re$, 'gix') AS m
     UNION
    -- Any statement may have INTO that holds no others. It may have many targets: of its text so much is looked at.
    SELECT b.oid, b.draws, b.draws_plainly, m[1], n[1], left(m[2], 5000), true, m[2] ~* '^execute'
      FROM body b
     CROSS JOIN regexp_matches(b.text, $re$
           (\mif[\s(]+new\s*\.\s*"?\w+"?\s+is\s+null[\s)]*then|;|\mthen|\melse|\mbegin|\mloop)
           \s*((?!(?:if|elsif|elseif|else|case|when|while|for|foreach|loop|begin|declare|end|exception)\M)\w+\M[^;]*)$re$, 'gix') AS m
     -- A list of names, each in one way only: a text that can be read in two ways takes time without end.
     CROSS JOIN regexp_matches(m[2], $re$
           \minto\s+(?:strict\s+)?((?:"(?:[^"]|"")+"|\w+)(?:\s*[.,]\s*(?:"(?:[^"]|"")+"|\w+))*)$re$, 'gix') AS l
     CROSS JOIN regexp_matches(l[1], $re$\m(?:new|old)\s*\.\s*("(?:[^"]|"")+"|\w+)$re$, 'gi') AS n
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
    SELECT DISTINCT g.oid AS function_oid, g.column_name,
           -- It may be nextval() that it calls, of which the text has strings alone.
           g.is_dynamic AND g.draws AND NOT g.draws_plainly AS may_draw
      FROM assigned g
     CROSS JOIN LATERAL (
           SELECT $re$\mnew\s*\.\s*$re$ || regexp_replace(g.target, $re$(\W)$re$, $re$\\\1$re$, 'g') || $re$(?!\w)$re$ AS itself) c
     CROSS JOIN LATERAL (
           SELECT btrim(regexp_replace(regexp_replace(regexp_replace(g.value, c.itself, '#', 'gi'),
                      $re$(?:\mpg_catalog\s*\.\s*)?\m(?:nextval|currval|lastval)\s*\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)$re$, '@', 'gi'),
                      -- Not those of which one holds less than an integer.
                      $re$::\s*(?!bool|bit|(?:bp)?char\M)\w+(?:\s*\(\s*[0-9]+(?:\s*,\s*0)?\s*\))?$re$, '', 'gi'), E' \t\r\n') AS value) v
     -- Of SELECT items INTO targets, where no item has a comma of its own.
     CROSS JOIN LATERAL (
           SELECT regexp_match(CASE WHEN g.is_query THEN regexp_replace(
                      v.value, $re$\mcoalesce\s*\(\s*#\s*,\s*@\s*\)|\mcast\s*\(\s*@\s+as\s+\w+\s*\)$re$, '@', 'gi') END, $re$
                      ^select\s+([\w.#@]+(?:\s*\(\s*\))?(?:\s+as\s+\w+)?(?:\s*,\s*[\w.#@]+(?:\s*\(\s*\))?(?:\s+as\s+\w+)?)*)
                      \s+into\s+(?:strict\s+)?([\w.#"]+(?:\s*,\s*[\w.#"]+)*)(?:\s+from\s+[\w.]+)?$$re$, 'ix') AS parts) q
     CROSS JOIN LATERAL (
           SELECT (string_to_array(q.parts[1], ','))[array_position(regexp_split_to_array(q.parts[2], $re$\s*,\s*$re$), '#')] AS item) i
     WHERE NOT (g.before ~* $re$\mif$re$ AND g.before ~* c.itself)
       -- OLD is of updates; where it is more than that, the rest may be what an insert gets.
       AND v.value !~* $re$^[\s(]*old\s*\.\s*(?:"(?:[^"]|"")+"|\w+)[\s)]*$$re$
       AND CASE WHEN g.is_dynamic THEN true
                WHEN g.is_query THEN i.item IS NULL AND v.value !~* $re$^select\s+into\s+(?:strict\s+)?#\s+@(?:\s+from\s+[\w.]+)?$$re$
                                     OR i.item !~* $re$^\s*[@#](?:\s+as\s+\w+)?\s*$$re$
                ELSE v.value !~* ($re$^[\s(]*(?:(?:select\s+|cast\s*\(\s*)?@(?:\s+(?:as|from)\s+\w+)?|#|null|$re$
                                  || $re$case\s+when\s+#\s+is\s+(?:not\s+)?null\s+then\s+[@#]\s+else\s+[@#]\s+end|$re$
                                  || $re$(?:lower|upper|[lrb]?trim)\s*\(\s*#\s*\)|coalesce\s*\(\s*#\s*,$re$
                                  || $re$(?:[^()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))*\))[\s)]*$$re$)
                     -- A variable may have taken it.
                     AND NOT (g.draws AND v.value ~ $re$^[\s(]*\w+[\s)]*$$re$) END
     UNION
    SELECT r.oid, a.attname::text, false
      FROM replacing r
      JOIN fired f ON f.function_oid = r.oid
      JOIN pg_attribute a ON a.attrelid = f.table_oid AND a.attnum > 0 AND a.attname IN (SELECT attname FROM drawn_name)
),
-- A rule's action is a query of its own: NEW.column is the default once more in it, and with INSTEAD nothing else is inserted.
ruled AS MATERIALIZED (
    SELECT c.oid AS table_oid, format('rule %I of %I.%I', r.rulename, n.nspname, c.relname) AS name
      FROM pg_class c
     -- By the index: a database may have a hundred thousand views, each with a rule.
     CROSS JOIN LATERAL (
           SELECT r.rulename
             FROM pg_rewrite r
            WHERE r.ev_class = c.oid
              AND r.ev_type = '3' AND r.ev_enabled IN ('O', 'A')
              -- A query on rows, see CmdType in nodes.h: NOTHING and NOTIFY take no value.
              AND (pg_column_size(r.ev_action) > 20000 OR r.ev_action::text ~ $re$\{QUERY :commandType [1-4] $re$)
           OFFSET 0) r
      JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relhasrules AND c.relkind IN ('r', 'p', 'f')
),
-- Upwards from the few triggers and rules that are left.
fired_for AS MATERIALIZED (
    (SELECT f.table_oid, f.table_oid AS fired_oid, f.condition, f.name, c.column_name, c.may_draw
       FROM fired f
       JOIN changing c ON c.function_oid = f.function_oid
      UNION ALL
     SELECT r.table_oid, r.table_oid, NULL, r.name, a.attname::text, false
       FROM ruled r
      CROSS JOIN LATERAL (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = r.table_oid AND a.attnum > 0 OFFSET 0) a
      WHERE a.attname IN (SELECT attname FROM drawn_name))
     UNION
    SELECT i.inhparent, b.fired_oid, b.condition, b.name, b.column_name, b.may_draw
      FROM fired_for b
     CROSS JOIN LATERAL (SELECT i.inhparent FROM pg_inherits i WHERE i.inhrelid = b.table_oid OFFSET 0) i
),
changed AS MATERIALIZED (
    SELECT f.table_oid, a.attnum AS column_number, min(f.name) AS changed_by
      FROM fired_for f
      JOIN pg_attribute a ON a.attrelid = f.table_oid AND a.attname = f.column_name
      JOIN pg_attribute m ON m.attrelid = f.fired_oid AND m.attname = f.column_name AND NOT m.attisdropped
     -- WHEN (NEW.column IS NULL): never of what a default has drawn. NEW is range table entry 2.
     WHERE (f.condition IS NULL
            OR f.condition NOT LIKE format('{NULLTEST :arg {VAR :varno 2 :varattno %s %%:nulltesttype 0 %%', m.attnum))
       -- What nothing else draws for takes the value of the only sequence that belongs to it.
       AND NOT (f.may_draw AND (f.table_oid, a.attnum) NOT IN (
                SELECT t.table_oid, t.column_number FROM tie t WHERE t.feed NOT IN ('undrawn', 'owned')))
     GROUP BY f.table_oid, a.attnum
),
