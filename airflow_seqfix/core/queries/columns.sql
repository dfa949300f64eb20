-- Every column that is tied to a sequence, and how.
--
-- One row for each (sequence, column). `feed` says how the column draws from the sequence:
--   identity    GENERATED ... AS IDENTITY                      (pg_depend, deptype i)
--   default     DEFAULT nextval('s'), owned or not             (pg_attrdef -> sequence in pg_depend); or what comes to that
--   domain      the same, as the default of the column's domain
--   late_bound  DEFAULT nextval('s'::text), one sequence can be meant; or nextval((16385)::regclass), which gives its OID
--   ambiguous   DEFAULT nextval('s'::text), several sequences can be meant: a row for each
--   mapping     the setting seqfix.mapping says so: [[OID of the sequence, OID of the table, number of the column], ...],
--               where a fourth member stands in for the word: trigger, for what was read from a trigger's function; owned,
--               for what a trigger fills in some way, and OWNED BY says from where; and a fifth is the function's owner, if
--               it is SECURITY DEFINER
--   wrapped     nextval() inside another expression, or behind a function that does more
--   view        the default of a view's column
--   undrawn     OWNED BY the column, which is not known to draw from it
--
-- `is_trusted`: a default draws with the rights of whoever inserts, and anybody can write one that names a sequence of
-- somebody else's. So a column counts only if the table's owner may use the sequence, and so may the owner of the domain that
-- has the default, or of the SECURITY DEFINER function that draws.
-- Identity, OWNED BY and a mapping say by themselves that both belong together.
--
-- `code`: where the setting seqfix.own_code_only is on, code that a read of the table would run.
--
-- `changed_by`: a trigger after which the column holds something else than what nextval() has returned.
--
-- `rival`: another sequence that feeds the column as well; `rival_start`: its START, where it runs in the same direction and
-- begins further on. `twin`: one by a default, into the same indexes, and in the same direction.
--
-- However much somebody fills a database on purpose: only expressions that can draw from a sequence are deparsed, and no
-- long ones, names in literals have a longest length, and what is deep or wide without end is cut and marked `too_much`.
--
-- A run that names all it looks at narrows this, by OIDs in JSON: with the setting seqfix.tables to what those draw, and with
-- seqfix.sequences to all that draws from those. Without them, or where they are empty, it is everything.
--
-- No table or sequence is opened or locked: pg_get_expr() with relation 0 needs no relation because defaults hold
-- no column references, while with a relation it would wait behind any ACCESS EXCLUSIVE lock on that table.
WITH RECURSIVE
chosen_table AS MATERIALIZED (
    SELECT t.value::oid AS oid
      FROM json_array_elements_text(nullif(current_setting('seqfix.tables', true), '')::json) t
),
chosen_sequence AS MATERIALIZED (
    SELECT s.value::oid AS oid
      FROM json_array_elements_text(nullif(current_setting('seqfix.sequences', true), '')::json) s
),
narrowed AS MATERIALIZED (
    SELECT coalesce(current_setting('seqfix.tables', true), '') <> ''    AS by_table,
           coalesce(current_setting('seqfix.sequences', true), '') <> '' AS by_sequence
),
stored AS (
    SELECT 'pg_attrdef'::regclass AS classid, d.oid AS objid, d.adrelid AS table_oid, d.adnum AS column_number,
           d.adbin AS tree, 'default' AS feed, NULL::oid AS domain_owner
      FROM pg_attrdef d
     -- By the index: most columns have no default.
     CROSS JOIN LATERAL (
           SELECT
             FROM pg_attribute a
            WHERE a.attrelid = d.adrelid AND a.attnum = d.adnum
              -- Generated columns do hold column references, and cannot call nextval().
              AND a.attgenerated = '' AND NOT a.attisdropped
           OFFSET 0) a
     UNION ALL
    -- A column of a domain takes the domain's default where it has none of its own.
    SELECT 'pg_type'::regclass, t.oid, a.attrelid, a.attnum, t.typdefaultbin, 'domain', t.typowner
      FROM pg_type t
      JOIN pg_attribute a ON a.atttypid = t.oid
      JOIN pg_class c ON c.oid = a.attrelid
     -- Below are the server's own, one of which would have all columns of the database looked through.
     WHERE t.typtype = 'd' AND t.typdefaultbin IS NOT NULL AND t.oid >= 16384
       AND a.attnum > 0 AND NOT a.attisdropped AND NOT a.atthasdef
       AND c.relkind IN ('r', 'p', 'f')
       -- Before all columns are looked through.
       AND (SELECT count(*) > 0 FROM pg_type t WHERE t.typtype = 'd' AND t.typdefaultbin IS NOT NULL AND t.oid >= 16384)
),
written AS MATERIALIZED (
    SELECT e.classid, e.objid, e.table_oid, e.column_number, e.feed, e.domain_owner, c.relowner AS owner,
           c.relnamespace AS schema_oid,
           -- A tree of 20,000 characters is some hundred calls deep, which every server's stack has room for. What calls
           -- functions that somebody made is no plain nextval(), and fails where one is dropped while it is deparsed.
           CASE WHEN (u.functions IS NULL OR current_setting('seqfix.wary', true) IS DISTINCT FROM 'on')
                     AND pg_column_size(e.tree) <= 20000 AND length(e.tree::text) <= 20000
                THEN pg_get_expr(e.tree, 0) END                       AS source,
           coalesce(u.functions, 'too long to be read')               AS instead,
           u.function_oid,
           -- What a function is given, where the tree is a call of it and casts that an assignment makes, and nothing else.
           CASE WHEN u.function_oid IS NOT NULL AND pg_column_size(e.tree) <= 2000
                THEN substring(e.tree::text FROM format(
                     $re$^(?:\{(?:FUNCEXPR [^{}]*:funcformat 2 [^{}]*:args \(|COERCETODOMAIN :arg ))*$re$
                     || $re$\{FUNCEXPR :funcid %s [^{}]*:args (<>|\(\{CONST [^{}]*\}\)) [^{}]*\}(?:\)?[^{}]*\})*$$re$,
                     u.function_oid)) END                             AS called_with
      FROM stored e
      JOIN pg_class c ON c.oid = e.table_oid
     CROSS JOIN LATERAL (
           SELECT left(string_agg(CASE d.refclassid WHEN 'pg_proc'::regclass THEN d.refobjid::regproc || '()'
                                                    ELSE d.refobjid::regoper::text END, ', '), 200) AS functions,
                  -- The only one.
                  CASE WHEN count(*) = 1 THEN min(d.refobjid) FILTER (WHERE d.refclassid = 'pg_proc'::regclass) END AS function_oid
             -- By the index, whatever the planner thinks of catalogs that nobody has analyzed.
             FROM (SELECT d.refclassid, d.refobjid FROM pg_depend d
                    WHERE d.classid = e.classid AND d.objid = e.objid
                   OFFSET 0) d
            WHERE d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)) u
     WHERE (NOT (SELECT by_table FROM narrowed) OR e.table_oid IN (SELECT oid FROM chosen_table))
           -- Of those that depend on sequences by OID, and call no function that may draw as well.
       AND coalesce((SELECT bool_or(NOT (SELECT by_sequence FROM narrowed) OR d.refclassid <> 'pg_class'::regclass
                                    OR d.refobjid IN (SELECT oid FROM chosen_sequence))
                       FROM pg_depend d
                      WHERE d.classid = e.classid AND d.objid = e.objid
                        AND d.refclassid IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_operator'::regclass)
                        AND d.deptype = 'n'),
                    -- The stored tree names functions by OID, those of operators too.
                    pg_column_size(e.tree) <= 20000
                    AND e.tree::text ~ format('funcid (?:%s|%s) ', 'nextval(regclass)'::regprocedure::oid,
                                              'currval(regclass)'::regprocedure::oid))
),
-- Functions that an expression calls; BEGIN ATOMIC bodies (14+) record what they call in turn.
called AS (
    SELECT e.classid, e.objid, d.refobjid AS function_oid
      FROM (SELECT DISTINCT classid, objid FROM written) e
      JOIN pg_depend d ON d.classid = e.classid AND d.objid = e.objid AND d.refclassid = 'pg_proc'::regclass
     UNION
    SELECT f.classid, f.objid, d.refobjid
      FROM called f
      JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = f.function_oid
                      AND d.refclassid = 'pg_proc'::regclass
),
@calls@
recorded AS (
    SELECT d.classid, d.objid, d.refobjid AS sequence_oid, false AS in_function
      FROM pg_depend d
      JOIN pg_sequence q ON q.seqrelid = d.refobjid
     WHERE d.classid IN ('pg_attrdef'::regclass, 'pg_type'::regclass)
       AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'n'
     UNION
    SELECT f.classid, f.objid, d.refobjid, true
      FROM called f
      JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = f.function_oid
                      AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'n'
      JOIN pg_sequence q ON q.seqrelid = d.refobjid
),
-- What may follow a plain nextval(): casts, to types as format_type() writes them. An operator is no part of a type's name,
-- for which to_regtype() would end the statement.
casts AS MATERIALIZED (
    SELECT t.name AS type_name, format($re$(?:\)*::%s(?:\([0-9]+(?:,[0-9]+)?\))?)*\)*$$re$, t.name) AS regex
      FROM (SELECT $re$(?:double precision|character varying|(?:(?:[a-z_][a-z0-9_]*|"(?:[^"]|"")+")\.?){1,2})$re$ AS name) t
),
-- nextval('s'::text) is looked up by name at each call, with the search_path of whoever inserts or that of a function. Not plain
-- is what else the expression, or a function that it calls, gives to nextval().
late_bound AS (
    SELECT m.table_oid, m.column_number, m.source, m.domain_owner, m.owner, m.schema_oid, m.is_plain,
           CASE WHEN cardinality(n.parts) = 3 AND n.parts[1] = current_database() THEN n.parts[2:3]
                WHEN cardinality(n.parts) = 1 AND m.path IS NOT NULL THEN ARRAY[(
                     SELECT p.name
                       FROM unnest(m.path) WITH ORDINALITY AS p (name, place)
                       JOIN by_name b ON b.schema_name = p.name AND b.name = n.parts[1]
                      ORDER BY p.place
                      LIMIT 1), n.parts[1]]
                ELSE n.parts END AS name
      FROM (SELECT e.table_oid, e.column_number, CASE WHEN r.literal IS NULL THEN e.source ELSE e.comes_to END AS source,
                   e.domain_owner, e.owner, e.schema_oid, e.path, coalesce(r.literal, o.found[1]) AS literal,
                   r.literal IS NOT NULL AS is_plain
              FROM expression e
             CROSS JOIN LATERAL (
                   SELECT (regexp_match(e.comes_to, $re$^\(*$re$ || t.drawn || (SELECT regex FROM casts)))[1] AS literal, t.drawn
                     FROM (SELECT $re$nextval\(\('((?:[^']|'')+)'::(?:text|character varying)\)::regclass\)$re$ AS drawn) t
                    WHERE e.comes_to LIKE '%nextval((%') r
              LEFT JOIN LATERAL regexp_matches(e.source, r.drawn, 'g') AS o (found) ON r.literal IS NULL
             UNION
            SELECT e.table_oid, e.column_number, e.source, e.domain_owner, e.owner, e.schema_oid, f.path, u.name, false
              FROM called c
              JOIN function_text f ON f.oid = c.function_oid
             CROSS JOIN LATERAL unnest(f.names) AS u (name)
              JOIN expression e ON e.classid = c.classid AND e.objid = c.objid
             WHERE NOT e.is_plain_call
             UNION
            SELECT e.table_oid, e.column_number, e.source, e.domain_owner, e.owner, e.schema_oid, e.path, e.given, false
              FROM expression e
             WHERE NOT e.is_plain_call AND e.given IS NOT NULL) l
     CROSS JOIN LATERAL (SELECT l.*, replace(l.literal, '''''', '''') AS name) m
       -- Letters beyond ASCII are letters whatever the database's locale says, as for the server's own scanner.
     CROSS JOIN LATERAL (
           SELECT $re$(?:"(?:[^"]|"")+"|[^\x01-\x40\x5b-\x5e\x60\x7b-\x7f][^\x01-\x23\x25-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f]*)$re$
                  AS part) p
     CROSS JOIN LATERAL (
           -- Three names of 63 bytes, all of them quotes.
           SELECT CASE WHEN length(m.name) <= 400 AND m.name ~ format($re$^\s*%1$s(?:\s*\.\s*%1$s){0,2}\s*$$re$, p.part)
                       -- The server cuts off what is longer than a name can be.
                       THEN parse_ident(m.name)::name[]::text[] END AS parts) n
     WHERE n.parts IS NOT NULL
),
-- An OID that is a number, cast to regclass: pg_depend knows of constants alone that are of type regclass by themselves.
by_number AS (
    SELECT DISTINCT e.table_oid, e.column_number, e.source, e.domain_owner, q.seqrelid AS sequence_oid,
           CASE WHEN e.source ~ format($re$^\(*%s%s$re$, r.drawn, (SELECT regex FROM casts))
                THEN 'late_bound' ELSE 'wrapped' END AS feed
      FROM (SELECT $re$\mnextval\(\(+'?([0-9]{1,10})'?(?:\)*::(?:oid|smallint|integer|bigint))*\)*::regclass\)$re$ AS drawn) r
      -- The planner takes LIKE to be rare, as it is, and strpos() for a third of all.
      JOIN expression e ON e.source LIKE '%nextval((%'
     CROSS JOIN regexp_matches(e.source, r.drawn, 'g') AS m (found)
      JOIN pg_sequence q ON q.seqrelid = CASE WHEN m.found[1]::bigint < 4294967296 THEN m.found[1]::bigint::oid END
),
-- Of several sequences with that name those are meant that are close to the table, by owner or schema, or by a grant to the
-- owner or a role that he is a member of: what everybody may use makes nobody's default ambiguous. They are counted before
-- they are paired, because somebody can make thousands of both.
by_name AS MATERIALIZED (
    SELECT s.oid AS sequence_oid, s.relname AS name, s.relowner AS owner, s.relnamespace AS schema_oid, n.nspname AS schema_name
      FROM pg_class s
      JOIN pg_namespace n ON n.oid = s.relnamespace
     WHERE s.relkind = 'S' AND NOT pg_is_other_temp_schema(n.oid)
),
by_owner AS (
    SELECT b.name, b.owner, count(*) AS sequences, min(b.sequence_oid) AS sequence_oid
      FROM by_name b
     GROUP BY b.name, b.owner
),
granted AS MATERIALIZED (
    SELECT DISTINCT b.name, r.role, b.schema_oid, b.sequence_oid
      FROM by_name b
      JOIN pg_class s ON s.oid = b.sequence_oid
     CROSS JOIN LATERAL aclexplode(s.relacl) g
     CROSS JOIN LATERAL (
           SELECT g.grantee AS role
            UNION ALL
           SELECT m.member FROM pg_auth_members m WHERE m.roleid = g.grantee) r
     WHERE b.name IN (SELECT l.name[1] FROM late_bound l WHERE cardinality(l.name) = 1)
       AND g.privilege_type IN ('USAGE', 'UPDATE') AND g.grantee <> 0 AND r.role <> b.owner
),
wanted AS (
    SELECT w.owner, w.schema_oid, w.name, o.sequence_oid AS of_owner, h.sequence_oid AS of_schema,
           CASE WHEN c.close > 0 THEN c.close + coalesce(g.sequences, 0) - (i.role IS NOT NULL)::integer ELSE 0 END AS close
      FROM (SELECT DISTINCT l.owner, l.schema_oid, l.name[1] AS name FROM late_bound l WHERE cardinality(l.name) = 1) w
      LEFT JOIN by_owner o ON o.name = w.name AND o.owner = w.owner
      LEFT JOIN by_name h ON h.name = w.name AND h.schema_oid = w.schema_oid
      LEFT JOIN (SELECT g.name, g.role, count(*) AS sequences FROM granted g GROUP BY g.name, g.role) g
             ON g.name = w.name AND g.role = w.owner
      LEFT JOIN granted i ON i.name = w.name AND i.role = w.owner AND i.schema_oid = w.schema_oid
     CROSS JOIN LATERAL (
           SELECT coalesce(o.sequences, 0) + (h.owner IS DISTINCT FROM w.owner AND h.owner IS NOT NULL)::integer AS close) c
),
meant AS (
    SELECT w.owner, w.schema_oid, w.name, coalesce(w.of_owner, w.of_schema) AS sequence_oid, 1::bigint AS candidates
      FROM wanted w
     WHERE w.close = 1
     UNION
    -- One table speaks for all of its owner's.
    SELECT w.owner, w.schema_oid, w.name, b.sequence_oid, w.close
      FROM (SELECT DISTINCT ON (w.owner, w.name) * FROM wanted w WHERE w.close > 1 ORDER BY w.owner, w.name, w.schema_oid) w
      JOIN by_name b ON b.name = w.name AND b.owner = w.owner
     UNION
    SELECT w.owner, w.schema_oid, w.name, g.sequence_oid, w.close
      FROM (SELECT DISTINCT ON (w.owner, w.name) * FROM wanted w WHERE w.close > 1 ORDER BY w.owner, w.name, w.schema_oid) w
      JOIN granted g ON g.name = w.name AND g.role = w.owner
     UNION
    SELECT w.owner, w.schema_oid, w.name, w.of_schema, w.close
      FROM wanted w
     WHERE w.close > 1 AND w.of_schema IS NOT NULL
     UNION
    SELECT w.owner, w.schema_oid, w.name, f.sequence_oid, count(*) OVER (PARTITION BY w.owner, w.schema_oid, w.name)
      FROM wanted w
     CROSS JOIN LATERAL (
           SELECT b.sequence_oid, b.distance, min(b.distance) OVER () AS shortest
             FROM (SELECT b.sequence_oid,
                          CASE WHEN pg_has_role(w.owner, b.owner, 'USAGE')                                       THEN 1
                               WHEN has_sequence_privilege(w.owner, b.sequence_oid, 'USAGE, UPDATE')             THEN 2
                               ELSE 3 END AS distance
                     FROM by_name b
                    WHERE b.name = w.name
                    LIMIT 100) b) f
     WHERE w.close = 0 AND f.distance = f.shortest
),
named AS (
    SELECT l.table_oid, l.column_number, l.source, l.domain_owner, l.is_plain, m.sequence_oid, m.candidates,
           row_number() OVER (PARTITION BY m.sequence_oid, m.candidates > 1 ORDER BY l.table_oid, l.column_number) AS place
      FROM (SELECT l.*, row_number() OVER (PARTITION BY l.owner, l.schema_oid, l.name ORDER BY l.table_oid, l.column_number)
                        AS place
              FROM late_bound l
             WHERE cardinality(l.name) = 1) l
      JOIN meant m ON m.owner = l.owner AND m.schema_oid = l.schema_oid AND m.name = l.name[1]
     WHERE m.candidates = 1 OR l.place <= 3
     UNION ALL
    SELECT l.table_oid, l.column_number, l.source, l.domain_owner, l.is_plain, b.sequence_oid, 1, 1
      FROM late_bound l
      JOIN by_name b ON b.schema_name = l.name[1] AND b.name = l.name[2]
     WHERE cardinality(l.name) = 2
),
ownership AS (
    SELECT d.objid AS sequence_oid, d.refobjid AS table_oid, d.refobjsubid AS column_number, d.deptype
      FROM pg_depend d
      JOIN pg_sequence q ON q.seqrelid = d.objid
     WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
       -- On 13 an identity sequence's row type has an entry of its own, without a column.
       AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
       AND (NOT (SELECT by_table FROM narrowed) OR d.refobjid IN (SELECT oid FROM chosen_table))
       AND (NOT (SELECT by_sequence FROM narrowed) OR d.objid IN (SELECT oid FROM chosen_sequence))
),
mapped AS (
    SELECT (m.value ->> 0)::oid AS sequence_oid, (m.value ->> 1)::oid AS table_oid, (m.value ->> 2)::smallint AS column_number,
           coalesce(m.value ->> 3, 'mapping') AS feed, (m.value ->> 4)::oid AS definer
      FROM json_array_elements(coalesce(nullif(current_setting('seqfix.mapping', true), ''), '[]')::json) m
),
-- A set operation: however wrong the planner's estimates are, its cost does not grow with the square.
undrawn AS (
    SELECT o.sequence_oid, o.table_oid, o.column_number
      FROM ownership o
     WHERE o.deptype = 'a'
    EXCEPT
    (SELECT r.sequence_oid, e.table_oid, e.column_number
       FROM recorded r
       JOIN expression e ON e.classid = r.classid AND e.objid = r.objid
      UNION ALL
     SELECT n.sequence_oid, n.table_oid, n.column_number
       FROM named n
      UNION ALL
     SELECT b.sequence_oid, b.table_oid, b.column_number
       FROM by_number b
      UNION ALL
     SELECT m.sequence_oid, m.table_oid, m.column_number
       FROM mapped m
      WHERE m.feed <> 'ambiguous')
),
tie AS (
    SELECT m.sequence_oid, m.table_oid, m.column_number, m.feed, NULL AS source, m.definer AS further_owner
      FROM mapped m
     UNION ALL
    SELECT o.sequence_oid, o.table_oid, o.column_number, 'identity', NULL, NULL
      FROM ownership o
     WHERE o.deptype = 'i'
     UNION ALL
    SELECT r.sequence_oid, e.table_oid, e.column_number,
           CASE WHEN p.is_plain THEN e.feed ELSE 'wrapped' END, CASE WHEN p.is_plain THEN e.comes_to ELSE e.source END,
           e.domain_owner
      FROM recorded r
      JOIN expression e ON e.classid = r.classid AND e.objid = r.objid
     CROSS JOIN LATERAL (
           SELECT coalesce((NOT r.in_function OR e.is_plain_call)
                           AND e.comes_to ~ ($re$^\(*nextval\('(?:[^']|'')+'::regclass\)$re$ || (SELECT regex FROM casts)), false)
                  AS is_plain) p
     -- Other uses of currval('s') and the like depend on the sequence without advancing it.
     WHERE r.in_function OR p.is_plain
        OR e.source ~ $re$\mnextval\($re$ OR e.source !~ $re$\m(currval|lastval|setval)\($re$
     UNION ALL
    -- Of those that make a sequence ambiguous, a few are enough to say so.
    SELECT n.sequence_oid, n.table_oid, n.column_number,
           CASE WHEN n.candidates = 1 THEN 'late_bound' ELSE 'ambiguous' END, n.source, n.domain_owner
      FROM named n
     WHERE n.is_plain AND (n.candidates = 1 OR n.place <= 20)
     UNION ALL
    -- One function may name a sequence twice, or one that the catalogs know of.
    SELECT DISTINCT n.sequence_oid, n.table_oid, n.column_number, 'wrapped', n.source, n.domain_owner
      FROM named n
     WHERE NOT n.is_plain AND n.candidates = 1
       AND (n.sequence_oid, n.table_oid, n.column_number) NOT IN (
            SELECT r.sequence_oid, e.table_oid, e.column_number
              FROM recorded r
              JOIN expression e ON e.classid = r.classid AND e.objid = r.objid)
     UNION ALL
    SELECT b.sequence_oid, b.table_oid, b.column_number, b.feed, b.source, b.domain_owner
      FROM by_number b
     UNION ALL
    SELECT u.sequence_oid, u.table_oid, u.column_number, 'undrawn', NULL, NULL
      FROM undrawn u
),
@changed@
-- The types that hold integers, and which of them exactly: a float up to the width of its mantissa, a text as its digits.
room (type_oid, smallest_value, largest_value, sign_width) AS (
    VALUES ('smallint'::regtype::oid, '-32768'::bigint, '32767'::bigint, 0),
           ('integer'::regtype, -2147483648, 2147483647, 0),
           ('bigint'::regtype, -9223372036854775808, 9223372036854775807, 0),
           ('numeric'::regtype, -9223372036854775808, 9223372036854775807, 0),
           ('oid'::regtype, 0, 4294967295, 0),
           ('real'::regtype, -16777216, 16777216, 0),
           ('double precision'::regtype, -9007199254740992, 9007199254740992, 0),
           ('text'::regtype, -9223372036854775808, 9223372036854775807, 1),
           ('character varying'::regtype, -9223372036854775808, 9223372036854775807, 1),
           ('character'::regtype, -9223372036854775808, 9223372036854775807, 1),
           ('name'::regtype, -9223372036854775808, 9223372036854775807, 1)
     UNION ALL
    -- What an extension has made of text, such as citext: the cast runs no function.
    SELECT k.castsource, -9223372036854775808, 9223372036854775807, 1
      FROM pg_cast k
      JOIN pg_type t ON t.oid = k.castsource
     WHERE k.castsource >= 16384 AND k.casttarget = 'text'::regtype AND k.castmethod = 'b' AND t.typcategory = 'S'
),
weighed AS (
    SELECT t.sequence_oid, t.table_oid, t.column_number, t.feed, t.source, o.is_owned, x.is_trusted, y.drawer,
           c.relkind = 'v' AS is_view,
           row_number() OVER (PARTITION BY t.sequence_oid, t.table_oid ORDER BY t.column_number) AS place_in_table,
           row_number() OVER (PARTITION BY t.sequence_oid, x.is_trusted ORDER BY t.table_oid, t.column_number) AS place
      FROM tie t
      JOIN pg_class c ON c.oid = t.table_oid
     CROSS JOIN LATERAL (
           SELECT t.feed IN ('identity', 'undrawn') OR
                  EXISTS (SELECT FROM pg_depend d
                           WHERE d.classid = 'pg_class'::regclass AND d.objid = t.sequence_oid
                             AND d.refclassid = 'pg_class'::regclass AND d.refobjid = t.table_oid
                             AND d.refobjsubid = t.column_number
                             AND d.deptype IN ('a', 'i')) AS is_owned) o
     -- The one of whom it depends.
     CROSS JOIN LATERAL (
           SELECT CASE WHEN has_sequence_privilege(c.relowner, t.sequence_oid, 'USAGE, UPDATE')
                       THEN coalesce(t.further_owner, c.relowner) ELSE c.relowner END AS drawer) y
     CROSS JOIN LATERAL (
           SELECT coalesce(o.is_owned OR t.feed = 'mapping'
                           OR has_sequence_privilege(y.drawer, t.sequence_oid, 'USAGE, UPDATE'), false) AS is_trusted) x
),
-- What is said of a table, once for all its columns.
fed AS MATERIALIZED (
    SELECT c.oid AS table_oid, w.relations, w.estimated_rows, w.has_foreign, w.is_deep, u.ancestors, k.code,
           c.relispartition AS is_partition
      FROM (SELECT DISTINCT t.table_oid FROM tie t) f
      JOIN pg_class c ON c.oid = f.table_oid
     -- What a read of the table opens beside itself: its partitions or children, and all their indexes.
     CROSS JOIN LATERAL (
           WITH RECURSIVE member AS (
               SELECT p.oid, p.relkind, p.reltuples, p.relhassubclass, 1 AS depth
                 -- As arrays, of which the planner expects ten members: where it knows of thousands of partitions of one
                 -- table, it would make room for as many of each table, again for each.
                 FROM unnest(ARRAY(SELECT i.inhrelid FROM pg_inherits i
                                    WHERE i.inhparent = c.oid AND c.relhassubclass)) AS i (inhrelid)
                CROSS JOIN LATERAL (
                      SELECT p.oid, p.relkind, p.reltuples, p.relhassubclass FROM pg_class p WHERE p.oid = i.inhrelid
                      OFFSET 0) p
                UNION
               -- By the index, whatever the planner thinks of catalogs that nobody has analyzed: else each level of each
               -- table would read all of them.
               SELECT p.oid, p.relkind, p.reltuples, p.relhassubclass, member.depth + 1
                 FROM member
                CROSS JOIN LATERAL unnest(ARRAY(SELECT i.inhrelid FROM pg_inherits i
                                                 WHERE i.inhparent = member.oid AND member.relhassubclass)) AS i (inhrelid)
                CROSS JOIN LATERAL (
                      SELECT p.oid, p.relkind, p.reltuples, p.relhassubclass FROM pg_class p WHERE p.oid = i.inhrelid
                      OFFSET 0) p
                WHERE member.depth <= 10)
           SELECT coalesce(sum(1 + (SELECT count(*) FROM pg_index i WHERE i.indrelid = m.oid)), 0)::bigint AS relations,
                  (greatest(c.reltuples, 0) + coalesce(sum(greatest(m.reltuples, 0)), 0))::bigint AS estimated_rows,
                  coalesce(bool_or(m.relkind = 'f'), false)                                       AS has_foreign,
                  coalesce(max(m.depth) > 10, false)                                              AS is_deep,
                  coalesce(array_agg(m.oid) FILTER (WHERE current_setting('seqfix.own_code_only', true) = 'on'), '{}') || c.oid
                                                                                                  AS members
             FROM (SELECT DISTINCT ON (member.oid) * FROM member ORDER BY member.oid, member.depth DESC) m) w
     CROSS JOIN LATERAL (
           WITH RECURSIVE ancestor AS (
               SELECT i.inhparent, 1 AS depth
                 FROM unnest(ARRAY(SELECT i.inhparent
                                     FROM pg_inherits i
                                    WHERE i.inhrelid = c.oid
                                      -- From DETACH ... CONCURRENTLY on, and for good where that was interrupted, a read of the
                                      -- parent leaves it out. As JSON, because 13 has no such column.
                                      AND to_jsonb(i) ->> 'inhdetachpending' IS DISTINCT FROM 'true')) AS i (inhparent)
                UNION
               -- One that lies further above is read through those in between.
               SELECT i.inhparent, ancestor.depth + 1
                 FROM ancestor
                CROSS JOIN LATERAL unnest(ARRAY(
                      SELECT i.inhparent FROM pg_inherits i WHERE i.inhrelid = ancestor.inhparent)) AS i (inhparent)
                WHERE ancestor.depth < 10)
           SELECT coalesce(array_agg(DISTINCT ancestor.inhparent::bigint), '{}') AS ancestors
             FROM ancestor) u
     -- A function of somebody else's that runs while a read of the table is planned. Superusers could do all by themselves.
      LEFT JOIN LATERAL (
           SELECT format('%I.%I(), a function of role %I', n.nspname, f.proname, r.rolname) AS code
             FROM (SELECT 'pg_class'::regclass AS classid, m.oid AS objid FROM unnest(w.members) AS m (oid)
                    UNION ALL
                   SELECT 'pg_class'::regclass, i.indexrelid FROM pg_index i WHERE i.indrelid = ANY (w.members)
                    UNION ALL
                   SELECT 'pg_constraint'::regclass, k.oid FROM pg_constraint k WHERE k.conrelid = ANY (w.members)
                    UNION ALL
                   SELECT 'pg_statistic_ext'::regclass, x.oid FROM pg_statistic_ext x WHERE x.stxrelid = ANY (w.members)) o
             JOIN pg_depend d ON d.classid = o.classid AND d.objid = o.objid
                             AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
             LEFT JOIN pg_operator p ON d.refclassid = 'pg_operator'::regclass AND p.oid = d.refobjid
             JOIN pg_proc f ON f.oid = coalesce(p.oprcode, d.refobjid)
             JOIN pg_namespace n ON n.oid = f.pronamespace
             JOIN pg_roles r ON r.oid = f.proowner
            WHERE f.oid >= 16384 AND NOT r.rolsuper AND r.rolname <> current_user
            ORDER BY f.oid
            LIMIT 1) k ON current_setting('seqfix.own_code_only', true) = 'on'
),
@bounded@
@rival@
-- A domain takes its limits from the type under all its layers.
layer AS (
    SELECT t.oid AS type_oid, t.typbasetype AS base_oid, t.typtypmod AS type_modifier
      FROM pg_type t
     WHERE t.typtype = 'd'
     UNION ALL
    SELECT l.type_oid, t.typbasetype, greatest(l.type_modifier, t.typtypmod)
      FROM layer l
      JOIN pg_type t ON t.oid = l.base_oid AND t.typtype = 'd'
),
-- Once, and not for each column.
ground AS MATERIALIZED (
    SELECT l.type_oid, l.base_oid, l.type_modifier
      FROM layer l
      JOIN pg_type t ON t.oid = l.base_oid AND t.typtype <> 'd'
)
SELECT tie.sequence_oid::bigint                                       AS sequence_oid,
       CASE WHEN c.relkind IN ('v', 'm') THEN 'view'
            WHEN k.is_changed THEN 'wrapped' ELSE tie.feed END         AS feed,
       tie.source                                                     AS source,
       c.oid::bigint                                                  AS table_oid,
       n.nspname::text                                                AS schema_name,
       c.relname::text                                                AS table_name,
       a.attname::text                                                AS column_name,
       a.attnum                                                       AS column_number,
       quote_ident(n.nspname) || '.' || quote_ident(c.relname)        AS qualified_table,
       quote_ident(a.attname)                                         AS quoted_column,
       format_type(a.atttypid, a.atttypmod)                           AS data_type,
       format_type(b.base_oid, NULL)                                  AS base_type,
       -- The integers that the column can hold, and that all casts on the way to it let through; NULL where it is no
       -- column for numbers.
       e.smallest_value                                               AS smallest_value,
       e.largest_value                                                AS largest_value,
       -- What sets them, if not the type: rows may lie beyond.
       e.smallest_by                                                  AS smallest_by,
       e.largest_by                                                   AS largest_by,
       -- A CHECK that may end it and is not read, of the column alone, or of several columns.
       l.unread_check                                                 AS unread_check,
       l.unread_beside                                                AS unread_beside,
       c.relkind = 'f'                                                AS is_foreign,
       ground.type_oid IS NOT NULL                                    AS is_domain,
       c.relhassubclass OR c.relispartition                           AS has_members,
       tie.has_foreign AND c.relkind <> 'f'                             AS has_foreign_partition,
       tie.ancestors                                                    AS ancestors,
       tie.is_owned                                                   AS is_owned,
       tie.is_trusted                                                 AS is_trusted,
       quote_ident(pg_get_userbyid(tie.drawer))                       AS drawer,
       quote_ident(pg_get_userbyid(c.relowner))                       AS owner,
       CASE WHEN tie.place_in_table > 20 THEN 'columns'
            WHEN tie.is_deep THEN 'levels' END
                                                                      AS too_much,
       tie.code                                                         AS code,
       tie.changed_by                                                 AS changed_by,
       tie.rival                                                      AS rival,
       tie.rival_start                                                AS rival_start,
       tie.twin                                                       AS twin,
       tie.twin_oid::bigint                                           AS twin_oid,
       tie.twin_start                                                 AS twin_start,
       tie.twin_increment                                             AS twin_increment,
       coalesce(tie.may_read_twin, false)                             AS may_read_twin,
       x.has_index                                                    AS has_index,
       x.is_unique                                                    AS is_unique,
       -- No index spans a table and what inherits from it; one on a partitioned table does.
       x.is_unique AND NOT (c.relkind = 'r' AND EXISTS (
            SELECT FROM pg_inherits i WHERE i.inhparent = c.oid AND c.relhassubclass)) AS is_unique_throughout,
       quote_ident(n.nspname)                                         AS quoted_schema,
       may.use_schema                                                 AS may_use_schema,
       may.read                                                       AS may_select,
       row_security_active(c.oid)                                     AS hides_rows,
       CASE WHEN NOT c.relforcerowsecurity
            THEN quote_ident(pg_get_userbyid(c.relowner)) END         AS exempt_owner,
       1 + x.indexes + tie.relations                                    AS relations,
       tie.estimated_rows                                               AS estimated_rows,
       CASE WHEN h.largest_value < 9223372036854775807 THEN
            @kept_by@
            END                                                       AS kept_by,
       -- Of what is not read there is nothing to hold against a second look.
       CASE WHEN tie.is_trusted AND NOT tie.is_deep THEN
            @column_version@
            ELSE '' END AS version
  FROM rivalled tie
  JOIN pg_class c ON c.oid = tie.table_oid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = tie.table_oid AND a.attnum = tie.column_number
  LEFT JOIN ground ON ground.type_oid = a.atttypid
 CROSS JOIN LATERAL (
       SELECT coalesce(ground.base_oid, a.atttypid) AS base_oid, coalesce(ground.type_modifier, -1) AS type_modifier) b
  LEFT JOIN room r ON r.type_oid = b.base_oid
 CROSS JOIN LATERAL (
       SELECT count(*) AS indexes,
              -- min() and max() can use a valid btree that is not partial and leads with the column.
              -- A text is in no order of numbers.
              coalesce(bool_or(u.leads AND u.is_btree AND r.sign_width = 0), false)                AS has_index,
              coalesce(bool_or(u.leads AND i.indnkeyatts = 1 AND i.indisunique), false)            AS is_unique
         FROM pg_index i
         JOIN pg_class ic ON ic.oid = i.indexrelid
        CROSS JOIN LATERAL (
              SELECT i.indkey[0] = a.attnum AND i.indisvalid AND i.indpred IS NULL                 AS leads,
                     ic.relam = (SELECT am.oid FROM pg_am am WHERE am.amname = 'btree')            AS is_btree) u
        WHERE i.indrelid = c.oid) x
 -- A numeric's modifier holds precision and scale, see numeric_typmod_precision() in numeric.c.
 CROSS JOIN LATERAL (SELECT greatest(a.atttypmod, b.type_modifier) - 4 AS packed) z
 CROSS JOIN LATERAL (SELECT CASE WHEN z.packed >= 0 AND b.base_oid = 'numeric'::regtype
                             THEN ((z.packed & 2047) # 1024) - 1024 END AS scale) s
 CROSS JOIN LATERAL (
       SELECT CASE WHEN z.packed < 0 THEN NULL
                   WHEN b.base_oid = 'numeric'::regtype THEN greatest((z.packed >> 16 & 65535) - s.scale, 0)
                   -- That of a text is its length, without what an expression has beside the value.
                   WHEN r.sign_width = 1 THEN greatest(0, z.packed - CASE WHEN tie.feed = 'wrapped' THEN (
                        SELECT coalesce(sum(length(f.found[1])), 0)
                          FROM regexp_matches(tie.source, $re$'((?:[^']|'')*)'(::regclass)?$re$, 'g') AS f (found)
                         WHERE f.found[2] IS NULL) ELSE 0 END) END AS digits) m
 CROSS JOIN LATERAL (
       -- A negative scale rounds digits away.
       SELECT CASE WHEN m.digits - r.sign_width < 19 THEN (1 - 10::numeric ^ (m.digits - r.sign_width))::bigint
                   WHEN s.scale IS NULL OR s.scale >= 0 THEN r.smallest_value END AS smallest_value,
              CASE WHEN s.scale < 0 THEN NULL
                   WHEN m.digits < 19 THEN (10::numeric ^ m.digits - 1)::bigint
                   ELSE r.largest_value END                                       AS largest_value) h
 -- The casts between nextval() and the column.
 CROSS JOIN LATERAL (
       SELECT max(u.smallest_value)                                               AS smallest_value,
              min(u.largest_value)                                                AS largest_value,
              (array_agg(u.name ORDER BY u.smallest_value DESC NULLS LAST))[1]    AS smallest_by,
              (array_agg(u.name ORDER BY u.largest_value))[1]                     AS largest_by,
              coalesce(bool_or(cr.type_oid IS NULL), false)                       AS is_changed
         FROM (SELECT (regexp_match(tie.source, $re$(?:'(?:[^']|'')+'|\([0-9]+\))(?:::[a-z ]+\))*::regclass\)(.+)$$re$))[1]
                WHERE tie.feed IN ('default', 'domain', 'late_bound')) AS v (casts)
        CROSS JOIN regexp_matches(v.casts,
                                  format($re$::(%s)(?:\(([0-9]+)(?:,([0-9]+))?\))?$re$, (SELECT type_name FROM casts)), 'g') AS f (name)
        CROSS JOIN LATERAL (
              SELECT CASE WHEN f.name[2] IS NOT NULL
                          THEN greatest(f.name[2]::integer - coalesce(f.name[3]::integer, 0), 0) END AS digits) d
         LEFT JOIN layer cl ON cl.type_oid = to_regtype(f.name[1]) AND cl.base_oid IN (SELECT room.type_oid FROM room)
         LEFT JOIN room cr ON cr.type_oid = coalesce(cl.base_oid, to_regtype(f.name[1]))
        CROSS JOIN LATERAL (
              SELECT greatest(cr.smallest_value, CASE WHEN d.digits - cr.sign_width < 19
                                                      THEN (1 - 10::numeric ^ greatest(d.digits - cr.sign_width, 0))::bigint END)
                         AS smallest_value,
                     least(cr.largest_value, CASE WHEN d.digits < 19 THEN (10::numeric ^ d.digits - 1)::bigint END)
                         AS largest_value,
                     format('cast to %s in the default',
                            f.name[1] || CASE WHEN f.name[2] IS NULL THEN ''
                                              ELSE format('(%s)', concat_ws(',', f.name[2], f.name[3])) END) AS name) u) k
  LEFT JOIN LATERAL (
       @limited@
       ) l ON h.largest_value IS NOT NULL
 CROSS JOIN LATERAL (
       SELECT greatest(t.smallest_value, l.smallest_value)                                AS smallest_value,
              least(t.largest_value, l.largest_value)                                     AS largest_value,
              CASE WHEN l.smallest_value > t.smallest_value THEN l.smallest_by
                   WHEN k.smallest_value > h.smallest_value THEN k.smallest_by END        AS smallest_by,
              CASE WHEN l.largest_value < t.largest_value THEN l.largest_by
                   WHEN k.largest_value < h.largest_value THEN k.largest_by END           AS largest_by
         -- Casts to numbers do not make a column of another type one for numbers.
         FROM (SELECT greatest(h.smallest_value, k.smallest_value) AS smallest_value,
                      CASE WHEN h.largest_value IS NOT NULL
                           THEN least(h.largest_value, k.largest_value) END AS largest_value) t) e
 -- NULL, of a table that was dropped after the snapshot was taken: nothing is fed any more.
 CROSS JOIN LATERAL (
       SELECT has_schema_privilege(n.oid, 'USAGE'), has_column_privilege(c.oid, a.attnum, 'SELECT')
       OFFSET 0) AS may (use_schema, read)
 WHERE NOT pg_is_other_temp_schema(n.oid) AND may IS NOT NULL
   AND tie.place_in_table <= 21 AND (tie.is_trusted OR tie.place <= 20)
 ORDER BY n.nspname, c.relname, a.attnum
