-- What the functions draw that defaults call. Each is read once, and none runs.
--
-- Plain is one that is nextval() of one name, or of what it is given, and nothing else. Its text has one of a few forms; a
-- stored body (14+) is a query without tables and conditions, of one call with a constant. Of others the names are read.
function_text AS MATERIALIZED (
    SELECT f.oid, f.definer, f.return_type, f.path, f.is_stored_call,
           CASE WHEN f.is_stored_call THEN ARRAY[NULL, '$1', '']
                -- Of that name there may be one of somebody's own.
                WHEN EXISTS (SELECT FROM pg_proc o WHERE o.proname = 'nextval' AND o.oid >= 16384) THEN NULL
                WHEN w.found[2] IS NULL OR w.found[2] IN ('$1', f.argument) THEN w.found END AS plain,
           ARRAY(SELECT DISTINCT m[1]
                   FROM regexp_matches(f.prosrc, $re$\mnextval\s*\(\s*'((?:[^']|'')+)'$re$, 'gi') AS m
                  LIMIT 20) AS names,
           f.prosrc ~* 'nextval' AS draws
      FROM (SELECT f.oid, f.prosrc, l.lanname, f.proargnames[1] AS argument,
                   CASE WHEN f.prosecdef THEN f.proowner END AS definer,
                   '::' || format_type(f.prorettype, NULL) AS return_type,
                   -- Of its own; with the inserter's name in it, it is nobody's.
                   (SELECT CASE WHEN s.setting ~ '[$]user' THEN '{}'
                                ELSE string_to_array(translate(substr(s.setting, 13), '" ', ''), ',') END
                      FROM unnest(f.proconfig) AS s (setting)
                     WHERE starts_with(s.setting, 'search_path=')) AS path,
                   to_jsonb(f) ->> 'prosqlbody' ~ format(
                       $re$^\(*\{QUERY :commandType 1 [^{}]*\{FROMEXPR [^{}]*\}[^{}]*\{TARGETENTRY :expr \{FUNCEXPR :funcid %s $re$
                       || $re$[^{}]*\{CONST [^{}]*\}[^{}]*\}[^{}]*\}[^{}]*\}\)*$$re$,
                       'nextval(regclass)'::regprocedure::oid) AS is_stored_call,
                   sum(length(f.prosrc)) OVER (PARTITION BY f.proowner ORDER BY length(f.prosrc), f.oid) AS read
              FROM pg_proc f
              JOIN pg_language l ON l.oid = f.prolang
             WHERE f.oid IN (SELECT c.function_oid FROM called c) AND f.oid >= 16384 AND f.prokind = 'f' AND NOT f.proretset
               AND length(f.prosrc) <= 20000) f
     CROSS JOIN LATERAL (
           SELECT $re$(?:\s|--[^\n]*\n|/\*(?:[^*]|\*+[^*/])*\*+/)*$re$ AS blank,
                  $re$(?:pg_catalog\.)?nextval\s*\(\s*(?:'((?:[^']|'')+)'|(\$1|[a-z_]\w*))\s*$re$
                  || $re$(?:::\s*(?:text|regclass)\s*)*\)((?:\s*::\s*\w+)*)$re$ AS call) p
     CROSS JOIN LATERAL (
           SELECT regexp_match(f.prosrc, CASE f.lanname
                      WHEN 'sql' THEN format($re$^%1$sselect\M%1$s%2$s%1$s(?:as\s+\w+%1$s)?;?%1$s$$re$, p.blank, p.call)
                      WHEN 'plpgsql' THEN format($re$^%1$sbegin\M%1$sreturn\M[\s(]*(?:select\s+)?%2$s[\s)]*;%1$send%1$s;?%1$s$$re$,
                                                 p.blank, p.call) END, 'i') AS found) w
     -- What one owner has written costs no more than so much time, however much it is.
     WHERE f.read <= 1000000
),
-- What an expression comes to, where that is nextval() of one sequence: a call of a plain function; currval() in a column that
-- takes each value once, and so one that no other row has; coalesce() with a constant, which is never used.
expression AS MATERIALIZED (
    SELECT e.classid, e.objid, e.table_oid, e.column_number, e.feed, e.owner, e.schema_oid,
           coalesce(e.domain_owner, CASE WHEN d.drawn IS NOT NULL THEN f.definer END) AS domain_owner,
           coalesce(e.source, e.instead) AS source, d.drawn IS NOT NULL AS is_plain_call, f.path, t.name AS given,
           coalesce(d.drawn, CASE
               WHEN e.source !~ $re$^\(*currval\($re$ THEN
                    regexp_replace(e.source,
                                   $re$^(\(*)COALESCE\((nextval\((?:'(?:[^']|'')+'|\('(?:[^']|'')+'::text\))::regclass\)), $re$
                                   || $re$\(?'?-?[0-9]+'?\)?(?:::bigint)?\)$re$, $re$\1\2$re$)
               WHEN EXISTS (SELECT FROM pg_index i
                             WHERE i.indrelid = e.table_oid AND i.indkey[0] = e.column_number
                               AND i.indnkeyatts = 1 AND i.indisunique) THEN regexp_replace(e.source, $re$^(\(*)currval$re$, $re$\1nextval$re$)
               ELSE e.source END) AS comes_to
      FROM written e
      LEFT JOIN function_text f ON f.oid = e.function_oid
     -- A text that it is given, from its bytes, behind a header of four.
      LEFT JOIN LATERAL (
           SELECT replace(convert_from(decode(string_agg(lpad(to_hex(y.byte::integer & 255), 2, '0'), '' ORDER BY y.place), 'hex'),
                                       getdatabaseencoding()), '''', '''''') AS name
             FROM regexp_split_to_table(
                      CASE WHEN f.draws THEN substring(e.called_with FROM $re$:consttype (?:25|1043) .*\[ ([^]]+) \]$re$) END,
                      ' ') WITH ORDINALITY AS y (byte, place)
            WHERE y.place > 4) t ON true
     CROSS JOIN LATERAL (
           SELECT CASE WHEN f.plain[1] IS NOT NULL
                            THEN CASE WHEN e.called_with = '<>' THEN '(''' || f.plain[1] || '''::text)' END
                       WHEN f.is_stored_call THEN CASE WHEN e.called_with = '<>' THEN '''x''' END
                       WHEN e.called_with LIKE '%:consttype 2205 %' THEN '''x'''
                       ELSE '(''' || t.name || '''::text)' END AS given) g
     -- Of two owners on whom it depends one would have to be forgotten.
      LEFT JOIN LATERAL (
           SELECT 'nextval(' || g.given || '::regclass)' || f.plain[3] || f.return_type AS drawn) d
             ON e.domain_owner IS NULL OR f.definer IS NULL
),
