-- reset_sequences.sql: find the sequences of a database that are behind their data, and move them forward.
-- Made by airflow-seqfix @version@. For psql (tested: 15 to 18) and PostgreSQL 13 to 18.
--
@usage@
--
-- Options, each as -v name=value:
--
@mode_option@
--     schema          only sequences in, or feeding tables in, schemas of such a name     [all]
--     table           only sequences that feed tables of such a name                      [all]
--     sequence        only sequences of such a name                                       [all]
--     exclude         leave sequences and tables of such a name alone                     [none]
--     lock            auto, or none: never an ALTER SEQUENCE, only nextval()              [auto]
--     margin          how many steps to stay ahead of the data                            [0]
--     max_jump        from how many values on a gap sets the few rows beyond it apart     [@max_jump@]
--     outliers        of such rows: report (move past all others), follow, or ignore      [report]
--     run_timeout     seconds after which the rest is left undone, and said to be         [@run_timeout@]
--     allow_empty     on: it is in order that no sequence is checked                      [off]
--     all             on: also list what is in sync or skipped                            [off]
--
-- Names are as the catalogs hold them, without quotes; * and ? stand for any characters and any one. A table or a
-- sequence may have its schema before it: -v table=shop.order*
--
-- What it does to the database: nothing is created in it, no sequence ever goes back, nothing is written where nothing
-- is behind, and running it again does no harm. A sequence is moved in one of two ways:
--
--     advance   calls nextval() until it has passed the data. Blocks nobody. For gaps of up to @advance_up_to@ values, and
--               for roles that do not own the sequence (they need USAGE on it).
--     locked    ALTER SEQUENCE ... OWNER TO its present owner, which changes nothing but locks the sequence against
--               nextval(); then looks again, and sets it. The lock is waited for @lock_timeout@ ms at a time, and held for
--               about a millisecond. For larger gaps, and for sequences with CACHE.
--
-- One sequence is one transaction, so psql -1 (--single-transaction) and BEGIN are refused: locks would pile up.
-- Connect to the server itself and not to a pooler that gives each statement another session (PgBouncer's transaction
-- mode); where that loses the options or the report between two statements, the script stops and says so.
--
-- Exit status of psql -f: 0 all is in sync, or was repaired and read again; 3 something is not, or the script was refused
-- or cut short; 2 psql could not connect, or the connection was lost; 1 psql did not find the file.

\set seqfix_quiet :QUIET
\set seqfix_context :SHOW_CONTEXT
\set seqfix_on_error_stop :ON_ERROR_STOP
\set QUIET on
\set SHOW_CONTEXT never
\set ON_ERROR_STOP on

\set seqfix_only_checks @only_checks@
\if :{?mode}
\elif :seqfix_only_checks
    \set mode check
\else
    \set mode fix
\endif
\if :{?schema}
\else
    \set schema ''
\endif
\if :{?table}
\else
    \set table ''
\endif
\if :{?sequence}
\else
    \set sequence ''
\endif
\if :{?exclude}
\else
    \set exclude ''
\endif
\if :{?lock}
\else
    \set lock auto
\endif
\if :{?margin}
\else
    \set margin 0
\endif
\if :{?max_jump}
\else
    \set max_jump @max_jump@
\endif
\if :{?outliers}
\else
    \set outliers report
\endif
\if :{?run_timeout}
\else
    \set run_timeout @run_timeout@
\endif
\if :{?allow_empty}
\else
    \set allow_empty off
\endif
\if :{?all}
\else
    \set all off
\endif

-- Until a statement has set the search_path, everything in it is qualified, operators and types included: a database
-- or a role can be given a search_path on which somebody else's functions come first.

-- The server refuses whatever would write in a READ ONLY transaction, and this makes every one of them READ ONLY.
\if :seqfix_only_checks
    SELECT :'mode' OPERATOR(pg_catalog.<>) 'check' AS seqfix_is_wrong,
           pg_catalog.current_setting('default_transaction_read_only') AS seqfix_read_only \gset
    \if :seqfix_is_wrong
        DO 'BEGIN RAISE EXCEPTION ''this script only checks: leave mode out''; END';
    \endif
    SET default_transaction_read_only = on;
\endif

-- Settings of this session carry the options into the blocks below, where psql's variables do not reach. A mark in them
-- and in application_name, which PgBouncer sets for its client in every session, shows whether they are this run's.
SELECT pg_catalog.current_setting('application_name') AS seqfix_application_name,
       pg_catalog.concat('reset_sequences ', pg_catalog.md5(pg_catalog.concat(pg_catalog.random(), pg_catalog.clock_timestamp())))
       AS seqfix_run \gset
SELECT pg_catalog.set_config('application_name', :'seqfix_run', false),
       pg_catalog.set_config('seqfix.run', :'seqfix_run', false),
       pg_catalog.set_config('seqfix.mode', :'mode', false),
       pg_catalog.set_config('seqfix.schema', :'schema', false),
       pg_catalog.set_config('seqfix.table', :'table', false),
       pg_catalog.set_config('seqfix.sequence', :'sequence', false),
       pg_catalog.set_config('seqfix.exclude', :'exclude', false),
       pg_catalog.set_config('seqfix.lock', :'lock', false),
       pg_catalog.set_config('seqfix.margin', :'margin', false),
       pg_catalog.set_config('seqfix.max_jump', :'max_jump', false),
       pg_catalog.set_config('seqfix.outliers', :'outliers', false),
       pg_catalog.set_config('seqfix.run_timeout', :'run_timeout', false),
       pg_catalog.set_config('seqfix.allow_empty', :'allow_empty', false),
       pg_catalog.set_config('seqfix.all', :'all', false),
       pg_catalog.set_config('seqfix.report', '', false) AS seqfix_ignore \gset

-- Refuse what would go wrong later, before anything is read.
DO $seqfix$
BEGIN
    SET LOCAL search_path = pg_catalog, pg_temp;
    -- The first statement of a transaction begins when its transaction does, unless there was a BEGIN before it.
    IF transaction_timestamp() <> statement_timestamp() THEN
        RAISE EXCEPTION 'reset_sequences.sql is inside a transaction, and needs one for each sequence'
              USING HINT = 'Run it without -1 (--single-transaction), outside BEGIN ... COMMIT, and with AUTOCOMMIT on.';
    END IF;
    IF version() !~ '^(PostgreSQL|EnterpriseDB) ' OR version() ~ '@other_products@' THEN
        RAISE EXCEPTION 'this is not PostgreSQL: %', version()
              USING HINT = 'Nothing was read or written. What PostgreSQL promises of sequences does not hold here.';
    END IF;
    IF current_setting('server_version_num')::integer < @oldest_server@0000 THEN
        RAISE EXCEPTION 'this is PostgreSQL %, and @oldest_server@ or later is needed', current_setting('server_version')
              USING HINT = 'Nothing was read or written.';
    END IF;
    IF current_setting('seqfix.run', true) IS DISTINCT FROM current_setting('application_name') THEN
        RAISE EXCEPTION 'this statement has not reached the session that the one before it reached'
              USING HINT = 'Connect to the server itself, not to a pooler in transaction mode.';
    END IF;
    IF current_setting('seqfix.mode') NOT IN ('fix', 'check') THEN
        RAISE EXCEPTION 'mode=%: give fix or check', current_setting('seqfix.mode');
    END IF;
    IF current_setting('seqfix.lock') NOT IN ('auto', 'none') THEN
        RAISE EXCEPTION 'lock=%: give auto or none', current_setting('seqfix.lock');
    END IF;
    IF current_setting('seqfix.outliers') NOT IN ('report', 'follow', 'ignore') THEN
        RAISE EXCEPTION 'outliers=%: give report, follow or ignore', current_setting('seqfix.outliers');
    END IF;
    IF current_setting('seqfix.allow_empty') NOT IN ('on', 'off') THEN
        RAISE EXCEPTION 'allow_empty=%: give on or off', current_setting('seqfix.allow_empty');
    END IF;
    IF current_setting('seqfix.all') NOT IN ('on', 'off') THEN
        RAISE EXCEPTION 'all=%: give on or off', current_setting('seqfix.all');
    END IF;
    IF current_setting('seqfix.margin') !~ '^[0-9]{1,18}$' THEN
        RAISE EXCEPTION 'margin=%: give a number of steps', current_setting('seqfix.margin');
    END IF;
    IF current_setting('seqfix.max_jump') !~ '^[1-9][0-9]{0,17}$' THEN
        RAISE EXCEPTION 'max_jump=%: give a number of values', current_setting('seqfix.max_jump');
    END IF;
    IF current_setting('seqfix.run_timeout') !~ '^[1-9][0-9]{0,5}$' THEN
        RAISE EXCEPTION 'run_timeout=%: give a number of seconds', current_setting('seqfix.run_timeout');
    END IF;
    IF pg_is_in_recovery() AND current_setting('seqfix.mode') = 'fix' THEN
        RAISE EXCEPTION 'this is a standby, which is read-only'
              USING HINT = 'Repair on the primary, or look with -v mode=check.';
    END IF;
    -- The server ends the one long statement below, should a single read go on after run_timeout.
    PERFORM set_config('seqfix.statement_timeout', current_setting('statement_timeout'), false),
            set_config('statement_timeout', current_setting('seqfix.run_timeout')::integer + 5 || 's', false);
END
$seqfix$;

\set ON_ERROR_STOP off

DO $seqfix$
-- Where a variable has the name of a column, the column is meant.
#variable_conflict use_column
DECLARE
    -- For each transaction. Nothing that a user created can stand in for a built-in function or operator, and a
    -- row-level security policy that would hide rows is an error.
    settings       pg_catalog.text := 'SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL row_security = off; '
                           'SET LOCAL quote_all_identifiers = off; SET LOCAL jit = off; SET LOCAL lock_timeout = @lock_timeout@; '
                           'SET LOCAL synchronous_commit = local';
    move_settings  pg_catalog.text;        -- for each that moves
    started_at     pg_catalog.timestamptz;
    give_up_at     pg_catalog.timestamptz;
    next_notice_at pg_catalog.timestamptz;
    mode           pg_catalog.text;
    may_alter      boolean;
    schema_like    pg_catalog.text;
    table_like     pg_catalog.text;
    exclude_like   pg_catalog.text;
    sequence_like  pg_catalog.text;
    margin         numeric;
    max_jump       numeric;
    outliers       pg_catalog.text;

    s              pg_catalog.record;      -- a sequence, as the catalogs describe it
    readable       pg_catalog.jsonb;       -- its columns, or their parts
    queries        pg_catalog.text[];      -- what reads them, and at last the sequence itself
    query          pg_catalog.text;
    value          bigint;
    far_values     bigint[];
    row_beyond     numeric;
    near_value     numeric;
    seen           numeric[];              -- the furthest values of its columns
    last_value     numeric;
    is_called      boolean;
    sequence_oid   bigint;      -- what a move is bound to: the sequence, and where it was read
    stood_at       bigint;
    was_called     boolean;
    is_same        boolean;
    is_set_back    boolean;
    kinds          pg_catalog.text;        -- the setting restrict_nonsystem_relation_kind
    next_value     numeric;                -- what nextval() would return; numeric because it may be no bigint any more
    furthest       numeric;
    all_seen       numeric[];              -- the furthest few values of its columns
    beyond         numeric;                -- the furthest value that the sequence cannot hand out
    look_again     boolean;                -- whether those are needed
    first          numeric;                -- the first value to come that fits
    start          numeric;                -- from where a gap before outliers counts
    size           numeric;                -- how many values there are in all
    left_over      numeric;                -- how many lie beyond the data
    apart          pg_catalog.int4;        -- how many of the furthest values are outliers
    decisive       numeric;                -- the furthest value that is none
    free           numeric;                -- how many values in a row are free before a move, in the column that it harms most,
    passed_by      pg_catalog.text;        -- which that is,
    takes_again    boolean;                -- whether that has no unique index of its own,
    left_there     numeric;                -- how many values are left in it,
    size_there     numeric;                -- of how many,
    refused_by     pg_catalog.text;        -- the CHECK constraint that is not read and may end it,
    is_unsure      boolean;                -- whether any column has such a one,
    blind          pg_catalog.record;      -- a column that is not compared, and may end before what a move passes,
    free_to        numeric;                -- up to which value that was counted,
    last_free      numeric;                -- and up to which it should be
    binds          pg_catalog.text;        -- the limits that end first
    widen          pg_catalog.text;        -- what makes room: statements, and what is said of them as a comment
    widen_or       pg_catalog.text;        -- the same, for something else to follow
    identity       pg_catalog.jsonb;       -- an identity column that a sequence can go on beyond,
    wraps          numeric;                -- and what an insert gets where it does, after a move or next
    direction      numeric;                -- 1 or -1
    step           numeric;
    border         numeric;                -- where another sequence of its columns begins, and this one ends,
    enters         boolean;                -- and whether a move would bring it there
    nearest        numeric;                -- the first stored value that lies ahead
    of_all         numeric;                -- how far the data have come, beyond the border too
    apart_from     numeric;                -- from where on values may be another sequence's,
    whose          pg_catalog.jsonb;       -- in which column that is,
    whose_said     pg_catalog.text;
    whose_cure     pg_catalog.text;
    twins          numeric[];              -- what the twins of its columns hand out next,
    twin           pg_catalog.jsonb;       -- the column of one that hands out the same values,
    twin_next      numeric;                -- and which comes next
    twin_cure      pg_catalog.text;
    stood          pg_catalog.jsonb := '{}';   -- by OID, where what this run has moved stood before
    near           numeric;                -- the first and the last value that both the sequence and its columns can hold
    far            numeric;
    last_step      numeric;                -- the last value that the sequence can hold
    is_used_up     boolean;
    is_reached     boolean;                -- whether the data have reached the next value
    needed         numeric;                -- where they are with the margin
    in_margin      boolean;
    margin_fits    boolean;
    margin_said    pg_catalog.text;        -- what it would leave
    calls          numeric;                -- how often nextval() is called until it has passed the data,
    due            numeric;                -- and how often without the margin
    target         bigint;
    reached        bigint;

    at_first       pg_catalog.text;        -- the verdict when it was found,
    verdict        pg_catalog.text;        -- and now
    before         numeric;                -- the next value when it was found
    gap            numeric;
    reason         pg_catalog.text;
    cure           pg_catalog.text;
    way            pg_catalog.text;
    problem        pg_catalog.text;        -- the SQLSTATE of an error; SQF01: run_timeout is over, SQF02: an event trigger refuses a move
    trace          pg_catalog.text;
    said           pg_catalog.text;
    was_read       boolean;                -- whether the rows of the last query were read
    moves          integer;
    rereads        integer;
    has_vanished   boolean;                -- whether what was discovered was not there when it was read

    done           bigint := 0;
    counts         pg_catalog.jsonb := '{"in_sync": 0, "behind": 0, "exhausted": 0, "unknown": 0, "skipped": 0, "repaired": 0}';
    report         pg_catalog.jsonb[] := '{}';

    versions       pg_catalog.text;    -- of all that verdicts rest on in the catalogs, before it was read
    latest         pg_catalog.text;
    oids           bigint[] := '{}';   -- of those that have a verdict: what each was like, which verdict, and whether it
    keys           pg_catalog.text[] := '{}';                                           -- was moved
    verdicts       pg_catalog.text[] := '{}';
    moved          boolean[] := '{}';
    place          integer;
BEGIN
    EXECUTE settings;
    IF current_setting('server_version_num')::integer >= 170000 THEN
        -- It would end the session, and the run with it.
        settings := settings || '; SET LOCAL transaction_timeout = 0';
        EXECUTE settings;
    END IF;
    IF current_setting('seqfix.run', true) IS DISTINCT FROM current_setting('application_name') THEN
        RAISE EXCEPTION 'this statement has not reached the session that the one before it reached'
              USING HINT = 'Connect to the server itself, not to a pooler in transaction mode.';
    END IF;
    mode := current_setting('seqfix.mode');
    IF mode = 'check' THEN
        settings := settings || '; SET LOCAL transaction_read_only = on';
        EXECUTE settings;
    END IF;
    -- A move is planned once, and looks up the rows of its few columns by index. The server expects 100 columns of a
    -- jsonb_to_recordset(), and would read all of pg_class and pg_attribute for each sequence.
    move_settings := settings || '; SET LOCAL plan_cache_mode = force_generic_plan'
                                 '; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off';
    margin := current_setting('seqfix.margin')::numeric;
    max_jump := current_setting('seqfix.max_jump')::numeric;
    outliers := current_setting('seqfix.outliers');
    may_alter := current_setting('seqfix.lock') = 'auto';
    started_at := clock_timestamp();
    give_up_at := started_at + make_interval(secs => current_setting('seqfix.run_timeout')::integer);
    next_notice_at := started_at + interval '5 seconds';
    -- * and ? become LIKE's % and _, which stand for themselves where they are given.
    SELECT max(p.pattern) FILTER (WHERE p.name = 'schema'), max(p.pattern) FILTER (WHERE p.name = 'table'),
           max(p.pattern) FILTER (WHERE p.name = 'sequence'), max(p.pattern) FILTER (WHERE p.name = 'exclude')
      INTO schema_like, table_like, sequence_like, exclude_like
      FROM (SELECT n.name, translate(regexp_replace(current_setting('seqfix.' || n.name), $re$([\\%_])$re$, $re$\\\1$re$, 'g'), '*?', '%_')
              FROM unnest(ARRAY['schema', 'table', 'sequence', 'exclude']) AS n (name)) AS p (name, pattern);
    RAISE NOTICE '% database % as role %', CASE mode WHEN 'fix' THEN 'checking and repairing' ELSE 'checking' END,
          quote_ident(current_database()), quote_ident(current_user);

    -- What others change in the catalogs meanwhile is discovered and read again, until nothing has changed in between.
    FOR pass IN 1 .. @reads@ + 1 LOOP
    COMMIT;
    EXECUTE settings;
    SELECT concat_ws(' ', v.number, v.digest) INTO versions FROM (
        @versions@
    ) AS v (number, digest);
    EXIT WHEN versions = latest;

    -- Triggers: what a BEFORE INSERT trigger fills by one plain call of nextval() is tied to its sequence. Of one that calls
    -- it in another way only OWNED BY says something. The command reads more of their functions.
    PERFORM set_config('seqfix.mapping', (
        WITH fires AS (
            @triggers@
        ),
        body AS (
            SELECT f.*, regexp_replace(regexp_replace(f.source, '--[^\n]*', ' ', 'g'), '/\*.*?\*/', ' ', 'g') AS text
              FROM fires f
        ),
        found AS (
            SELECT b.*, coalesce(
                       regexp_match(b.text, $re$
                           (?:;|\mthen|\melse|\mbegin)\s*new\.("(?:[^"]|"")+"|\w+)\s*:?=\s*
                           (?:coalesce\s*\(\s*new\.\1\s*,\s*)?
                           (?:pg_catalog\.)?nextval\s*\(\s*'((?:[^']|'')+)'(?:::(?:regclass|text))?\s*\)
                           \s*\)?\s*(?:::\s*\w+\s*)?;
                       $re$, 'ix'),
                       (SELECT ARRAY[m[2], m[1]]
                          FROM regexp_match(b.text, $re$
                                   \mselect\s+(?:pg_catalog\.)?nextval\s*\(\s*'((?:[^']|'')+)'(?:::(?:regclass|text))?\s*\)
                                   \s+into\s+(?:strict\s+)?new\.("(?:[^"]|"")+"|\w+)\s*(?:from\s+\w+\s*)?;
                               $re$, 'ix') AS m)) AS call
              FROM body b
             WHERE b.language = 'plpgsql'
        ),
        named AS (
            SELECT f.*, CASE WHEN f.call[1] LIKE '"%' THEN replace(substr(f.call[1], 2, length(f.call[1]) - 2), '""', '"')
                             ELSE lower(f.call[1]) END AS column_name,
                   CASE WHEN length(f.call[2]) <= 400 AND replace(f.call[2], '''''', '''')
                             ~ $re$^\s*(?:"(?:[^"]|"")+"|[a-zA-Z_][a-zA-Z0-9_$]*)(?:\s*\.\s*(?:"(?:[^"]|"")+"|[a-zA-Z_][a-zA-Z0-9_$]*))?\s*$$re$
                        THEN parse_ident(replace(f.call[2], '''''', '''')) END AS name
              FROM found f
             WHERE f.call IS NOT NULL
               AND (SELECT count(*) FROM regexp_matches(f.text, 'nextval', 'gi')) = 1
               AND f.text !~* '\mnew\s*:?='
               -- It is the only value that the column is given.
               AND (SELECT count(*) FROM regexp_matches(f.text, '(?:(?:;|\mthen|\melse|\mbegin)\s*|\minto\s+(?:strict\s+)?)new\.'
                           || regexp_replace(f.call[1], '(\W)', '\\\1', 'g') || '\M', 'gi')) = 1
        ),
        filling AS (
            SELECT n.*, a.number, row_number() OVER () AS place
              FROM named n
             CROSS JOIN LATERAL (
                   SELECT n.column_numbers[place] AS number FROM generate_subscripts(n.column_names, 1) AS place
                    WHERE n.column_names[place] = n.column_name) a
        ),
        wanted AS MATERIALIZED (
            SELECT f.place, f.drawer::oid AS drawer, f.schema_oid::oid AS schema_oid, f.name[1] AS name
              FROM filling f
             WHERE cardinality(f.name) = 1 AND f.search_path IS NULL
        ),
        @closest@,
        meant AS (
            SELECT f.table_oid, f.trigger_name, f.number AS column_number, f.definer, c.sequence_oid::bigint AS sequence_oid,
                   c.candidates, c.nth
              FROM filling f
              JOIN closest c ON c.place = f.place
             UNION ALL
            SELECT f.table_oid, f.trigger_name, f.number, f.definer, q.oid::bigint, 1, 1
              FROM filling f
              JOIN pg_namespace s ON s.nspname = f.name[1] AND NOT pg_is_other_temp_schema(s.oid)
              JOIN pg_class q ON q.relkind = 'S' AND q.relname = f.name[2] AND q.relnamespace = s.oid
             WHERE cardinality(f.name) = 2
        ),
        tied AS (
            SELECT m.table_oid, m.trigger_name, m.sequence_oid, m.column_number, m.definer FROM meant m WHERE m.candidates = 1
        ),
        tie AS (
            SELECT t.sequence_oid, t.table_oid, t.column_number, 'trigger' AS feed, t.definer
              FROM tied t
             WHERE NOT EXISTS (SELECT FROM pg_attrdef d WHERE d.adrelid = t.table_oid AND d.adnum = t.column_number)
                -- A default that draws from another sequence.
                OR EXISTS (SELECT
                             FROM pg_attrdef d
                             JOIN pg_depend e ON e.classid = 'pg_attrdef'::regclass AND e.objid = d.oid
                                             AND e.refclassid = 'pg_class'::regclass AND e.deptype = 'n'
                             JOIN pg_sequence q ON q.seqrelid = e.refobjid
                            WHERE d.adrelid = t.table_oid AND d.adnum = t.column_number
                           HAVING bool_and(e.refobjid::bigint <> t.sequence_oid))
             UNION
            SELECT m.sequence_oid, m.table_oid, m.column_number, 'ambiguous', m.definer
              FROM meant m
             WHERE m.candidates > 1 AND m.nth <= 3
               AND NOT EXISTS (SELECT FROM pg_depend o
                                WHERE o.classid = 'pg_class'::regclass AND o.refclassid = 'pg_class'::regclass AND o.deptype = 'a'
                                  AND o.refobjid = m.table_oid AND o.refobjsubid = m.column_number)
             UNION
            SELECT o.objid::bigint, o.refobjid::bigint, o.refobjsubid, 'owned', NULL
              FROM body b
              JOIN pg_depend o ON o.classid = 'pg_class'::regclass AND o.refclassid = 'pg_class'::regclass
                              AND o.refobjid = b.table_oid AND o.refobjsubid > 0 AND o.deptype = 'a'
              JOIN pg_sequence q ON q.seqrelid = o.objid
              JOIN pg_attribute a ON a.attrelid = o.refobjid AND a.attnum = o.refobjsubid
             WHERE NOT a.atthasdef
               AND NOT EXISTS (SELECT FROM tied t WHERE t.table_oid = b.table_oid AND t.trigger_name = b.trigger_name)
               AND NOT EXISTS (SELECT FROM tied t WHERE t.sequence_oid = o.objid)
               -- What is done to the value is not guessed.
               AND b.text !~* ('\mnew\.' || regexp_replace(quote_ident(a.attname), '(\W)', '\\\1', 'g') || '\s*:?=[^;]*nextval')
        )
        SELECT coalesce(json_agg(json_build_array(t.sequence_oid, t.table_oid, t.column_number, t.feed, t.definer)), '[]')::text
          FROM tie t), true);

    -- A function that is dropped while a default that calls it is deparsed would end the run.
    PERFORM set_config('seqfix.wary', 'on', true);

    -- The script looks at everything, whatever a database or role has set.
    PERFORM set_config('seqfix.tables', '', true), set_config('seqfix.sequences', '', true);

    -- Discovery: every sequence, the columns that draw from it, and all that can be said without reading them.
    FOR s IN
        WITH sequence AS MATERIALIZED (
            @sequences@
        ),
        tied AS MATERIALIZED (
            @columns@
        ),
        marked AS (
            SELECT t.*,
                   t.qualified_table || '.' || t.quoted_column AS name,
                   row_number() OVER (ORDER BY t.schema_name COLLATE "C", t.table_name COLLATE "C", t.column_number)
                       AS place,
                   t.feed IN (@drawn_as_is@) AS is_drawn,
                   -- A read of the topmost table covers its partitions and inheritance children.
                   coalesce(array_agg(t.table_oid)
                                FILTER (WHERE t.feed IN (@drawn_as_is@) AND t.is_trusted)
                                OVER (PARTITION BY t.sequence_oid, t.column_name) && t.ancestors, false) AS is_covered
              FROM tied t
        ),
        judged AS (
            SELECT m.*,
                   m.is_drawn AND m.largest_value IS NOT NULL AND NOT m.is_covered AND m.is_trusted AS is_comparable,
                   -- Without any that counts, its verdict would rest on this one.
                   NOT m.is_trusted AND (m.is_counted OR m.is_drawn AND m.largest_value IS NOT NULL AND NOT m.is_covered) AS is_stranger,
                   CASE m.feed
                        WHEN 'wrapped' THEN format('the default of %s is an expression, %s', m.name, m.source)
                        WHEN 'view'    THEN format('it feeds a view, %s', m.name)
                        WHEN 'undrawn' THEN format('%s owns it, and is not known to draw from it', m.name)
                        ELSE format('%s is of type %s; numbers are compared, and texts that hold them', m.name, m.data_type)
                   END AS why_not
              FROM (SELECT m.*, m.is_trusted OR NOT bool_or(m.is_trusted) OVER (PARTITION BY m.sequence_oid) AS is_counted
                      FROM marked m) m
        ),
        fed AS (
            SELECT j.sequence_oid,
                   string_agg(j.name, ', ' ORDER BY j.place)
                        FILTER (WHERE NOT j.is_covered AND j.is_counted)                               AS columns,
                   max(j.smallest_value) FILTER (WHERE j.is_comparable)                                AS smallest_value,
                   min(j.largest_value) FILTER (WHERE j.is_comparable)                                 AS largest_value,
                   (array_agg(j.why_not ORDER BY j.place) FILTER (WHERE j.is_counted))[1]              AS why_not,
                   (array_agg(format(CASE WHEN j.source IS NULL THEN 'a trigger looks the sequence of %s up by name'
                                          ELSE 'the default of %s looks its sequence up by name' END, j.name) ORDER BY j.place)
                        FILTER (WHERE j.feed = 'ambiguous' AND j.is_trusted))[1]                       AS ambiguous,
                   (array_agg(ARRAY[j.changed_by, j.name] ORDER BY j.place)
                        FILTER (WHERE j.changed_by IS NOT NULL AND j.is_drawn AND j.is_trusted))       AS changed,
                   (array_agg(ARRAY[j.name, j.drawer] ORDER BY j.place)
                        FILTER (WHERE j.is_stranger))                                                  AS strangers,
                   (array_agg(j.qualified_table || CASE j.too_much
                                  WHEN 'columns' THEN ' has more than 20 columns that draw from it'
                                  ELSE ' has children more than 10 levels deep' END ORDER BY j.place)
                        FILTER (WHERE j.too_much IS NOT NULL AND j.is_trusted))[1]                     AS too_much,
                   (array_agg(CASE WHEN j.source IS NOT NULL
                                   THEN format('ALTER TABLE %s ALTER %s SET DEFAULT nextval(', j.qualified_table, j.quoted_column) END
                              ORDER BY j.place)
                        FILTER (WHERE j.feed = 'ambiguous' AND j.is_trusted))[1]                       AS set_default,
                   (array_agg(ARRAY[j.qualified_table, j.is_foreign::text] ORDER BY j.place)
                        FILTER (WHERE j.is_comparable AND (j.is_foreign OR j.has_foreign_partition))) AS remote,
                   bool_and(j.is_foreign) FILTER (WHERE j.is_comparable)                               AS is_remote,
                   string_agg(DISTINCT 'schema ' || j.quoted_schema, ', ')
                        FILTER (WHERE j.is_comparable AND NOT j.may_use_schema)                        AS closed_schemas,
                   string_agg(DISTINCT format('GRANT USAGE ON SCHEMA %s TO %I;', j.quoted_schema, current_user), ' ')
                        FILTER (WHERE j.is_comparable AND NOT j.may_use_schema)                        AS schema_grants,
                   string_agg('column ' || j.name, ', ' ORDER BY j.place)
                        FILTER (WHERE j.is_comparable AND NOT j.may_select)                            AS closed_columns,
                   string_agg(format('GRANT SELECT (%s) ON %s TO %I;', j.quoted_column, j.qualified_table, current_user),
                              ' ' ORDER BY j.place)
                        FILTER (WHERE j.is_comparable AND NOT j.may_select)                            AS column_grants,
                   (array_agg(j.qualified_table ORDER BY j.place)
                        FILTER (WHERE j.is_comparable AND j.hides_rows))[1]                            AS hidden,
                   coalesce(bool_or(NOT j.has_index AND j.estimated_rows > @slow_rows@)
                                FILTER (WHERE j.is_comparable), false)                                 AS is_slow,
                   jsonb_agg(jsonb_build_object('table', j.qualified_table, 'column', j.quoted_column, 'number',
                                                CASE WHEN j.base_type NOT IN (@numbers@)
                                                     THEN format('CASE WHEN t.%1$s::text COLLATE "C" ~ %2$L THEN t.%1$s::text::numeric END',
                                                                 j.quoted_column, $re$@integer@$re$)
                                                     ELSE 't.' || j.quoted_column END,
                                                'cast', CASE WHEN j.base_type IN (@floats@) THEN ''
                                                             WHEN j.base_type = 'oid' THEN '::bigint::numeric'
                                                             ELSE '::numeric' END,
                                                'table_oid', j.table_oid, 'column_number', j.column_number,
                                                'smallest', j.smallest_value, 'largest', j.largest_value,
                                                'smallest_by', j.smallest_by, 'largest_by', j.largest_by,
                                                'version', j.version, 'type', j.data_type, 'identity', j.feed = 'identity',
                                                'larger', CASE WHEN j.base_type = 'numeric' THEN 'numeric'
                                                               WHEN j.base_type = 'real' THEN 'double precision'
                                                               WHEN j.base_type IN
                                                                   (@numbers@)
                                                               THEN 'bigint' ELSE 'text' END,
                                                'kept_by', j.kept_by,
                                                'distinct', j.has_index AND NOT j.is_unique, 'unique', j.is_unique_throughout, 'own', j.is_unique,
                                                'unread', j.unread_check,
                                                'rival', j.rival, 'rival_start', j.rival_start, 'name', j.name,
                                                'twin', j.twin, 'twin_oid', j.twin_oid, 'twin_start', j.twin_start, 'twin_increment', j.twin_increment,
                                                'may_read_twin', j.may_read_twin, 'is_default', j.feed = 'default')
                             ORDER BY j.place) FILTER (WHERE j.is_comparable)                          AS readable,
                   -- Columns that may not take what follows, though nobody knows what they have: the core's judge/uncompared.py.
                   jsonb_agg(jsonb_build_object('name', j.name, 'table', j.qualified_table, 'type', j.data_type, 'smallest', j.smallest_value,
                                                'largest', j.largest_value, 'smallest_by', j.smallest_by, 'largest_by', j.largest_by)
                             ORDER BY j.place)
                        FILTER (WHERE j.feed IN (@uncompared@) AND j.is_trusted AND NOT j.is_covered
                                      AND j.smallest_value IS NOT NULL AND j.largest_value IS NOT NULL) AS uncompared,
                   string_agg(concat_ws(' ', j.table_oid, j.column_number, j.feed, j.changed_by, j.rival, j.rival_start, j.twin, j.version),
                              ',' ORDER BY j.place)                                                    AS versions,
                   sum(j.relations) FILTER (WHERE j.is_comparable)                                     AS relations,
                   bool_or(j.schema_name LIKE schema_like) FILTER (WHERE j.is_counted)                 AS in_schema,
                   bool_or(j.table_name LIKE table_like OR j.schema_name || '.' || j.table_name LIKE table_like)
                        FILTER (WHERE j.is_counted)                                                    AS in_table,
                   bool_or(j.table_name LIKE exclude_like OR j.schema_name || '.' || j.table_name LIKE exclude_like)
                        FILTER (WHERE j.is_counted)                                                    AS is_excluded
              FROM judged j
             GROUP BY j.sequence_oid
        ),
        chosen AS (
            SELECT q.*, f.*,
                   coalesce(f.is_excluded, false) OR q.sequence_name LIKE exclude_like
                       OR q.schema_name || '.' || q.sequence_name LIKE exclude_like                    AS is_left_alone,
                   current_setting('seqfix.sequence') !~ '^$|[*?]' OR current_setting('seqfix.table') !~ '^$|[*?]' AS is_named
              FROM sequence q
              LEFT JOIN fed f ON f.sequence_oid = q.oid
             WHERE (schema_like = '' OR q.schema_name LIKE schema_like OR f.in_schema)
               AND (table_like = '' OR f.in_table)
               AND (sequence_like = '' OR q.sequence_name LIKE sequence_like
                    OR q.schema_name || '.' || q.sequence_name LIKE sequence_like)
        )
        SELECT c.oid AS sequence_oid, c.version, c.qualified_name, c.columns, c.readable, c.uncompared, c.relations, c.increment_by, c.cycle,
               c.cache_size, c.data_type, c.start_value, c.min_value, c.max_value, c.owner, c.may_alter, c.may_nextval,
               greatest(c.min_value, c.smallest_value) AS lowest,
               least(c.max_value, c.largest_value)     AS highest,
               md5(concat_ws(' ', c.oid, c.version, c.versions)) AS key,
               count(*) OVER ()                        AS total,
               u.verdict, u.reason, u.cure
          FROM chosen c
         CROSS JOIN LATERAL (
               SELECT * FROM (VALUES
                      (1, c.is_left_alone, 'skipped', 'excluded', NULL),
                      (1.5, c.extension IS NOT NULL AND NOT c.is_named, 'skipped',
                       format('it is part of the extension %s; name it to have it checked', c.extension), NULL),
                      (2, c.too_much IS NOT NULL, 'unknown', c.too_much, 'exclude it'),
                      (3, c.ambiguous IS NOT NULL, 'unknown',
                       c.ambiguous || ', and several have that name',
                       coalesce(c.set_default || quote_literal(c.qualified_name) || ');',
                                'its schema before the name, in the trigger''s function')),
                      (3.5, c.changed IS NOT NULL, 'unknown',
                       format('%s may change what nextval() has returned for %s', c.changed[1][1], c.changed[1][2]),
                       format('the command with a mapping of %1$s to the column, and to any other that a rule fills, where values '
                              'can be compared all the same; or exclude %1$s', c.qualified_name)),
                      (4, c.cycle, 'skipped', 'it has CYCLE, and is meant to hand out values again', NULL),
                      (5, c.is_remote, 'skipped', format('%s is a foreign table', c.remote[1][1]), NULL),
                      (6, c.remote IS NOT NULL, 'unknown',
                       c.remote[1][1] || CASE WHEN c.remote[1][2] = 'true'
                                              THEN ' is a foreign table, and the sequence feeds others as well'
                                              ELSE ' has a partition that is a foreign table' END, 'exclude it'),
                      (7, c.readable IS NULL AND c.strangers IS NOT NULL, 'unknown',
                       format('%s draws from %s, which its owner %s may not use, and no column that counts can be compared',
                              c.strangers[1][1], c.qualified_name, c.strangers[1][2]),
                       -- A line break in a name would end the comment.
                       format('GRANT USAGE ON SEQUENCE %s TO %s; -- if the table is meant to draw from it, else exclude %s',
                              c.qualified_name, c.strangers[1][2], regexp_replace(c.qualified_name, '[[:cntrl:]]', '?', 'g'))),
                      (8, c.readable IS NULL, 'skipped', coalesce(c.why_not, 'no column draws from it'), NULL),
                      (9, c.closed_schemas IS NOT NULL OR c.closed_columns IS NOT NULL
                          OR NOT c.may_use_schema OR NOT c.may_select, 'unknown',
                       format('role %I may not read %s', current_user,
                              concat_ws(', ', CASE WHEN NOT c.may_use_schema THEN 'schema ' || c.quoted_schema END,
                                        nullif(c.closed_schemas, 'schema ' || c.quoted_schema),
                                        CASE WHEN NOT c.may_select THEN 'sequence ' || c.qualified_name END,
                                        c.closed_columns)),
                       concat_ws(' ', CASE WHEN NOT c.may_use_schema
                                           THEN format('GRANT USAGE ON SCHEMA %s TO %I;', c.quoted_schema, current_user) END,
                                 CASE WHEN c.closed_schemas IS DISTINCT FROM 'schema ' || c.quoted_schema
                                      THEN c.schema_grants END,
                                 CASE WHEN NOT c.may_select
                                      THEN format('GRANT SELECT ON SEQUENCE %s TO %I;', c.qualified_name, current_user) END,
                                 c.column_grants)),
                      (10, c.hidden IS NOT NULL, 'unknown',
                       format('row-level security may hide rows of %s from role %I', c.hidden, current_user),
                       format('ALTER ROLE %I BYPASSRLS;', current_user)),
                      (11, true, NULL, NULL, NULL)) AS v (place, applies, verdict, reason, cure)
                WHERE v.applies
                ORDER BY v.place
                LIMIT 1) u
         WHERE md5(concat_ws(' ', c.oid, c.version, c.versions)) NOT IN (SELECT unnest(keys))
         -- What may take long comes last.
         ORDER BY c.is_slow, c.schema_name COLLATE "C", c.sequence_name COLLATE "C"
    LOOP
        has_vanished := false;
        IF pass > @reads@ AND s.verdict IS NULL THEN
            s.verdict := 'unknown'; s.cure := '@restless_cure@';
            s.reason := '@restless@';
        END IF;
        at_first := s.verdict; verdict := s.verdict; reason := s.reason; cure := s.cure; way := NULL;
        next_value := NULL; before := NULL; furthest := NULL; gap := NULL;
        look_again := false; free_to := NULL; moves := 0; rereads := 0; border := NULL;
        direction := sign(s.increment_by); step := abs(s.increment_by::numeric);

        -- Measure, judge, move, and again to see whether it worked. What the catalogs have settled is not read.
        WHILE s.verdict IS NULL LOOP
            -- Each statement sees what there is once it has its locks. What is read in parts is read in one snapshot, so
            -- that no row is missed that moves from one partition to another.
            IF s.relations > @relations_at_once@ THEN
                COMMIT;
                SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;
            ELSE
                COMMIT;
                SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
            END IF;
            EXECUTE settings;
            -- What writes the queries is planned once. The server would plan it anew with the values of each sequence.
            SET LOCAL plan_cache_mode = force_generic_plan;
            -- Where the server knows it: what has become a view is not read. Event triggers may.
            PERFORM set_config('restrict_nonsystem_relation_kind', 'view, foreign-table', true)
              WHERE current_setting('restrict_nonsystem_relation_kind', true) IS NOT NULL;

            -- Measure. Rows outside the bounds of the sequence or of the column's type can never collide. The sequence comes
            -- last: before the data, it would seem to be behind rows that others add meanwhile.
            readable := s.readable;
            IF s.relations > @relations_at_once@ THEN
                -- A table with very many partitions is read in parts. Whoever may read it may not have the rights to
                -- read its partitions by their names.
                SELECT jsonb_agg(r.value || jsonb_build_object('table', part.name)) INTO readable
                  FROM jsonb_array_elements(s.readable) AS r
                  LEFT JOIN LATERAL (
                       SELECT array_agg(p.name) AS names
                         FROM (
                              @partitions@
                              ) p
                       HAVING bool_and(p.may_read)) parts ON true
                 CROSS JOIN LATERAL unnest(coalesce(parts.names, ARRAY[r.value ->> 'table'])) AS part (name);
            END IF;
            -- Of each column the furthest value; on a second look the furthest few, and the furthest of those that can
            -- never collide. An index gives each value once as it goes along, without one that would be a sort.
            SELECT array_agg(format(
                       'SELECT (SELECT %1$s(%2$s(%3$s)%10$s)::bigint FROM %4$s AS t'
                       ' WHERE %3$s BETWEEN %5$L::bigint AND %6$L::bigint), '
                       || CASE WHEN look_again
                               THEN 'ARRAY(SELECT %1$s(f.value%10$s)::bigint FROM (SELECT %7$s %3$s AS value'
                                    ' FROM %4$s AS t WHERE %3$s BETWEEN %5$L::bigint AND %6$L::bigint'
                                    ' ORDER BY 1 %8$s LIMIT @looked_at@) AS f), (SELECT trunc(%2$s(%3$s)%10$s) FROM %4$s AS t'
                                    ' WHERE %3$s %9$s::bigint AND (%3$s)::text ~ ''^-?[0-9.]+$''), '
                               ELSE 'NULL, NULL, ' END
                       || 'NULL::boolean, '
                       || CASE WHEN look_again AND r.value ->> 'rival' IS NOT NULL
                               THEN '(SELECT %1$s(%11$s(%3$s)%10$s) FROM %4$s AS t'
                                    ' WHERE %3$s BETWEEN %12$L::bigint AND %13$L::bigint)' ELSE 'NULL' END
                       || CASE WHEN (r.value ->> 'may_read_twin')::boolean
                               THEN ', (SELECT t.last_value + t.is_called::integer * (%14$s)::numeric FROM %15$s AS t)' ELSE ', NULL' END,
                       CASE WHEN direction > 0 THEN 'floor' ELSE 'ceil' END,
                       CASE WHEN direction > 0 THEN 'max' ELSE 'min' END,
                       r.value ->> 'number', r.value ->> 'table', c.low, c.high,
                       CASE WHEN (r.value ->> 'distinct')::boolean THEN 'DISTINCT' ELSE '' END,
                       CASE WHEN direction > 0 THEN 'DESC' ELSE 'ASC' END,
                       CASE WHEN direction > 0 THEN format('> %L', c.high) ELSE format('< %L', c.low) END,
                       r.value ->> 'cast', CASE WHEN direction > 0 THEN 'min' ELSE 'max' END,
                       CASE WHEN direction > 0 THEN least(greatest(c.low, next_value), c.high) ELSE c.low END,
                       CASE WHEN direction > 0 THEN c.high ELSE greatest(least(c.high, next_value), c.low) END,
                       r.value ->> 'twin_increment', r.value ->> 'twin'))
                   -- Of the columns that a move would leave too few values for, the one whose inserts it would take most from.
                   || CASE WHEN free_to IS NULL THEN '{}' ELSE ARRAY[concat(
                       'SELECT least(f.free, 9223372036854775807), ARRAY[f.column_place, f.left_over], f.size, NULL, NULL, NULL FROM (',
                       string_agg(format(
                           CASE WHEN NOT p.fits THEN 'SELECT 0'
                                WHEN NOT (r.value ->> 'unique')::boolean THEN 'SELECT (%6$s - %5$s) / (%8$s) + 1'
                                ELSE 'SELECT (SELECT max((v.value - v.before) / (%8$s) - 1) FROM (SELECT t.value,'
                                     ' lag(t.value, 1, %5$s::numeric - (%8$s)) OVER (ORDER BY t.value %9$s) AS before'
                                     ' FROM (SELECT n.value FROM (SELECT (%1$s)%7$s AS value FROM %2$s AS t'
                                     ' WHERE %1$s BETWEEN %3$L::bigint AND %4$L::bigint) AS n WHERE (n.value - (%5$s)) %% (%8$s) = 0'
                                     ' UNION ALL SELECT %6$s::numeric + (%8$s)) AS t (value)) AS v)' END
                           || ', %10$s::bigint, %11$s::bigint, %12$s::numeric',
                           r.value ->> 'number', r.value ->> 'table', least(p.first, p.last), greatest(p.first, p.last),
                           p.first, p.last, coalesce(nullif(r.value ->> 'cast', ''), '::bigint::numeric'), s.increment_by,
                           CASE WHEN direction > 0 THEN 'ASC' ELSE 'DESC' END, r.ordinality, p.left_over, p.size), ' UNION ALL ')
                           FILTER (WHERE p.left_over * @nearly@ < p.size AND due > p.left_over),
                       ') AS f (free, column_place, left_over, size) ORDER BY f.free > f.left_over DESC, f.column_place LIMIT 1')] END
                   || format('SELECT last_value, NULL, NULL, is_called, NULL, NULL FROM %s', s.qualified_name)
              INTO queries
              FROM jsonb_array_elements(readable) WITH ORDINALITY AS r
             CROSS JOIN LATERAL (SELECT greatest(s.min_value, (r.value ->> 'smallest')::bigint,
                                                 CASE WHEN direction < 0 THEN border + 1 END)::bigint AS low,
                                        least(s.max_value, (r.value ->> 'largest')::bigint,
                                              CASE WHEN direction > 0 THEN border - 1 END)::bigint AS high) AS c
             CROSS JOIN LATERAL (SELECT CASE WHEN direction > 0 THEN c.low ELSE c.high END AS near,
                                        CASE WHEN direction > 0 THEN c.high ELSE c.low END AS far) AS e
              -- What a move to free_to would pass that fits the column, and what it would leave.
             CROSS JOIN LATERAL (
                   SELECT p.*, (p.last - p.first) * direction >= 0 AS fits,
                          -- A CHECK that is not read may end it anywhere.
                          CASE WHEN r.value ->> 'unread' IS NULL THEN greatest(0, div((e.far - free_to) * direction, step)) ELSE 0 END
                              AS left_over,
                          div(c.high::numeric - c.low, step) + 1 AS size
                     FROM (SELECT next_value + s.increment_by * greatest(0, div((e.near - next_value) * direction + step - 1, step)) AS first,
                                  CASE WHEN (e.far - next_value) * direction < 0 THEN next_value - s.increment_by
                                       ELSE least(free_to * direction, (next_value + s.increment_by
                                                  * div((e.far - next_value) * direction, step)) * direction) * direction END AS last) AS p
                  ) AS p;
            problem := NULL; seen := '{}'; twins := '{}'; all_seen := '{}'; beyond := NULL; nearest := NULL;
            free := NULL; left_there := NULL; size_there := NULL;
            refused_by := NULL;
            FOREACH query IN ARRAY queries LOOP
                IF clock_timestamp() > give_up_at THEN
                    problem := 'SQF01';
                    EXIT;
                END IF;
                was_read := false;
                BEGIN
                    EXECUTE query INTO value, far_values, row_beyond, is_called, near_value, twin_next;
                    was_read := true;
                    -- Rolled back, so that the locks on tables, partitions and indexes do not pile up.
                    RAISE SQLSTATE 'SQF00';
                EXCEPTION
                    WHEN SQLSTATE 'SQF00' THEN
                        -- A function of the table's owner can raise it as well.
                        IF NOT was_read THEN
                            problem := 'P0001'; said := split_part(SQLERRM, chr(10), 1);
                            EXIT;
                        END IF;
                        IF is_called IS NULL THEN
                            IF free_to IS NOT NULL AND cardinality(queries) = cardinality(seen) + 2 THEN
                                free := greatest(value, 0);
                                SELECT n.value ->> 'name', NOT (n.value ->> 'own')::boolean, far_values[2], row_beyond, n.value ->> 'unread'
                                  INTO passed_by, takes_again, left_there, size_there, refused_by
                                  FROM jsonb_array_elements(readable) WITH ORDINALITY AS n
                                 WHERE n.ordinality = far_values[1];
                            ELSE
                                seen := seen || ARRAY[value]::numeric[]; twins := twins || ARRAY[twin_next];
                                all_seen := all_seen || far_values::numeric[];
                                beyond := CASE WHEN direction > 0 THEN greatest(beyond, row_beyond)
                                               ELSE least(beyond, row_beyond) END;
                                nearest := CASE WHEN direction > 0 THEN least(nearest, near_value)
                                                ELSE greatest(nearest, near_value) END;
                            END IF;
                        END IF;
                    WHEN query_canceled THEN
                        -- Before the time is over, it is somebody who wants to stop, or a function of the table's owner.
                        GET STACKED DIAGNOSTICS said = PG_EXCEPTION_CONTEXT;
                        IF clock_timestamp() < give_up_at AND said !~ 'RAISE' THEN
                            RAISE;
                        END IF;
                        problem := CASE WHEN clock_timestamp() < give_up_at THEN SQLSTATE ELSE 'SQF01' END;
                        said := split_part(SQLERRM, chr(10), 1);
                        EXIT;
                    WHEN OTHERS OR assert_failure THEN
                        problem := CASE WHEN SQLSTATE LIKE 'SQF%' THEN 'P0001' ELSE SQLSTATE END;
                        said := split_part(SQLERRM, chr(10), 1);
                        EXIT;
                END;
            END LOOP;
            IF problem IS NULL AND is_called IS NULL THEN
                problem := 'XX001'; said := 'another session is rewriting the sequence';
            END IF;
            IF problem = 'XX001' AND rereads < @rewritten@ THEN
                rereads := rereads + 1;
                CONTINUE;
            END IF;

            -- Judge.
            reason := NULL; cure := NULL; target := NULL;
            IF problem IS NOT NULL THEN
                verdict := 'unknown';
                reason := CASE problem
                    WHEN 'SQF01' THEN format('run_timeout of %s s was over before it was done', current_setting('seqfix.run_timeout'))
                    WHEN '55P03' THEN 'another session holds a lock that keeps readers out'
                    ELSE said END;
                cure := CASE problem
                    WHEN 'SQF01' THEN 'a larger run_timeout, or an index that leads with the column'
                    WHEN '55P03' THEN 'run again when it is done; pg_blocking_pids(), pg_locks and pg_prepared_xacts show who it is'
                    WHEN '42P01' THEN 'run again'
                    ELSE 'see the server''s log' END;
                at_first := coalesce(at_first, verdict);
                has_vanished := problem IN ('42P01', '3F000', '42703');
                EXIT;
            END IF;
            last_value := value;
            next_value := last_value + CASE WHEN is_called THEN s.increment_by ELSE 0 END;
            SELECT direction * max(v * direction) INTO furthest FROM unnest(seen) AS v;
            is_reached := coalesce((furthest - next_value) * direction >= 0, false);

            -- Values that may be another sequence's: the core's judge/rivals.py has the rule. Those before its START are
            -- looked at as if the rest were not there; and where it does not begin further on, those ahead have to be near.
            IF border IS NULL THEN
                SELECT direction * min(o.start * direction), furthest INTO border, of_all
                  FROM jsonb_array_elements(s.readable) AS r
                 CROSS JOIN LATERAL (SELECT (r.value ->> 'rival_start')::numeric AS start) AS o
                 WHERE (o.start - next_value + s.increment_by) * direction > 0 AND (furthest - o.start) * direction >= 0;
                IF border IS NOT NULL THEN
                    s.lowest := CASE WHEN direction < 0 THEN greatest(s.lowest, border + 1) ELSE s.lowest END;
                    s.highest := CASE WHEN direction > 0 THEN least(s.highest, border - 1) ELSE s.highest END;
                    CONTINUE;
                END IF;
            END IF;
            SELECT r.value INTO whose
              FROM jsonb_array_elements(s.readable) WITH ORDINALITY AS r
             WHERE r.value ->> 'rival' IS NOT NULL
             ORDER BY (r.value ->> 'rival_start')::numeric = border DESC NULLS LAST, r.ordinality
             LIMIT 1;
            IF whose IS NOT NULL AND border IS NULL AND is_reached AND NOT look_again THEN
                look_again := true;
                CONTINUE;
            END IF;
            apart_from := CASE WHEN border IS NOT NULL THEN border
                               WHEN whose IS NOT NULL AND is_reached AND abs(nearest - next_value) > @near_rival@ * step THEN nearest END;
            of_all := CASE WHEN border IS NULL THEN furthest ELSE of_all END;
            whose_said := format('%s feeds %s as well, and nothing says whose the values from %s on are',
                                 whose ->> 'rival', whose ->> 'name', apart_from);
            whose_cure := format('the command with an id_range of %s to %s for %s, where %s has the values beyond; or a wider one, '
                                 'where they are its own', CASE WHEN direction > 0 THEN s.min_value ELSE apart_from + 1 END,
                                 CASE WHEN direction > 0 THEN apart_from - 1 ELSE s.max_value END, s.qualified_name, whose ->> 'rival');
            near := CASE WHEN direction > 0 THEN s.lowest ELSE s.highest END;
            far  := CASE WHEN direction > 0 THEN s.highest ELSE s.lowest END;
            last_step := CASE WHEN direction > 0 THEN least(s.max_value, border - 1) ELSE greatest(s.min_value, border + 1) END;
            first := next_value + s.increment_by * greatest(0, div((near - next_value) * direction + step - 1, step));
            size := greatest(1, div(s.highest::numeric - s.lowest, step) + 1);
            left_over := CASE WHEN (far - furthest) * direction < step THEN 0 ELSE div((far - furthest) * direction, step) END;

            -- Outliers: docs/design/outliers.md has the rule, and the core's judge/outliers.py the same in Python.
            decisive := furthest; apart := NULL;
            -- Where a gap begins: the last value handed out, so that it is as long after a move as before.
            start := CASE WHEN is_called AND first = next_value THEN first - s.increment_by ELSE first END;
            IF outliers <> 'follow' AND (furthest - first) * direction >= 0 THEN
                gap := div(abs(furthest - start) + step - 1, step);
                IF gap > max_jump OR max_jump <= @max_jump@ AND gap > @near@ AND (gap * @share@ > size OR gap > left_over) THEN
                    IF NOT look_again THEN
                        look_again := true;
                        CONTINUE;
                    END IF;
                    all_seen := ARRAY(SELECT DISTINCT v * direction FROM unnest(all_seen) AS v ORDER BY 1 DESC LIMIT @looked_at@);
                    SELECT n.apart INTO apart
                      FROM generate_series(1, least(@most@, cardinality(all_seen))) AS n (apart)
                     CROSS JOIN LATERAL (SELECT all_seen[n.apart] AS nearest, cardinality(all_seen) - n.apart AS others,
                                                all_seen[n.apart + 1] - first * direction AS ahead) AS a
                     CROSS JOIN LATERAL (SELECT a.nearest, a.others,
                                                greatest(start * direction, CASE WHEN a.ahead > -step THEN
                                                    first * direction + step * div(a.ahead + step - 1, step) END) AS before) AS v
                     CROSS JOIN LATERAL (SELECT div(v.nearest - v.before + step - 1, step) AS gap,
                                                (SELECT div(coalesce(max(w) - min(w), 0) + step - 1, step)
                                                   FROM unnest(all_seen[n.apart + 1 : n.apart + @most@]) AS w
                                                  WHERE w >= first * direction) AS spread) AS g
                     WHERE v.nearest >= first * direction
                       AND (g.gap > max_jump OR max_jump <= @max_jump@ AND g.gap > @near@ AND (g.gap * @share@ > size OR g.gap > left_over))
                       AND g.gap > @stands_out@ * g.spread
                       AND (n.apart = 1 OR n.apart < v.others OR v.others > 0 AND g.gap > @lifetime@)
                     ORDER BY n.apart DESC LIMIT 1;
                    IF apart IS NOT NULL THEN
                        decisive := all_seen[apart + 1] * direction;
                    END IF;
                END IF;
            END IF;
            IF outliers = 'ignore' THEN
                furthest := decisive; is_reached := coalesce((furthest - next_value) * direction >= 0, false);
            END IF;
            is_used_up := (far - next_value - direction * step
                           * greatest(0, div((near - next_value) * direction + step - 1, step))) * direction < 0;
            needed := decisive + margin * s.increment_by;
            in_margin := coalesce((needed - next_value) * direction >= 0, false);
            -- A margin that would take the last values that fit, all of them free, is not kept: the core's judge/goal.py.
            left_over := CASE WHEN in_margin AND NOT is_used_up
                              THEN div((far - next_value) * direction, step) - div(abs(needed - next_value) + step - 1, step) ELSE 0 END;
            margin_fits := left_over > 0 AND (outliers = 'follow' OR left_over * @nearly@ >= size OR margin <= left_over);
            margin_said := format('margin=%s would leave %s', margin,
                                  CASE WHEN left_over > 0 THEN format('%s of %s values', left_over, size) ELSE 'no value that fits' END);
            IF NOT margin_fits THEN
                needed := decisive;
            END IF;
            gap := CASE WHEN is_reached THEN div(abs(furthest - next_value) + step - 1, step) + 1 ELSE 0 END;
            -- The first step of the sequence at or beyond the data; or its last one, where it ends before.
            calls := CASE WHEN (needed - next_value) * direction >= 0
                          THEN least(div(abs(needed - next_value) + step - 1, step), div(abs(last_step - next_value), step)) + 1
                          ELSE 0 END;
            due := CASE WHEN (decisive - next_value) * direction >= 0 THEN least(calls, div(abs(decisive - next_value) + step - 1, step) + 1) ELSE 0 END;
            left_over := CASE WHEN (far - next_value) * direction < due * step THEN 0
                              ELSE div((far - next_value) * direction, step) - due + 1 END;
            -- A move that would take the last values, or nearly so: only where fewer are free before it.
            last_free := next_value + s.increment_by * (due - 1);
            is_unsure := due > 0 AND outliers <> 'follow' AND jsonb_path_exists(s.readable, '$[*].unread ? (@ != null)');
            IF (due > left_over AND left_over * @nearly@ < size OR is_unsure) AND s.relations <= @relations_at_once@
               AND free_to IS DISTINCT FROM last_free AND rereads < @rewritten@ THEN
                free_to := last_free; rereads := rereads + 1; look_again := true;
                CONTINUE;
            END IF;
            -- A column that is not compared may still take all values that a move passes, up to where it may end.
            SELECT r.value, e.far AS limit, p.passed INTO blind
              FROM jsonb_array_elements(s.uncompared) WITH ORDINALITY AS r
             CROSS JOIN LATERAL (SELECT greatest(s.min_value, (r.value ->> 'smallest')::numeric, CASE WHEN direction < 0 THEN border + 1 END) AS low,
                                        least(s.max_value, (r.value ->> 'largest')::numeric, CASE WHEN direction > 0 THEN border - 1 END) AS high) AS c
             CROSS JOIN LATERAL (SELECT CASE WHEN direction > 0 THEN c.low ELSE c.high END AS near,
                                        CASE WHEN direction > 0 THEN c.high ELSE c.low END AS far) AS e
             CROSS JOIN LATERAL (
                   SELECT greatest(0, div((least(last_free * direction, e.far * direction) - next_value * direction), step) + 1
                                      - greatest(0, div((e.near - next_value) * direction + step - 1, step))) AS passed,
                          greatest(0, div((e.far - last_free) * direction, step)) AS left_over,
                          div(c.high - c.low, step) + 1 AS size) AS p
             WHERE due > 0 AND e.far * direction >= next_value * direction AND p.passed > p.left_over AND p.left_over * @nearly@ < p.size
             ORDER BY r.ordinality
             LIMIT 1;
            -- An identity column takes the low bytes of what does not fit, and no insert fails: the core's judge/wrap.py.
            SELECT r.value INTO identity
              FROM jsonb_array_elements(s.readable) AS r
             WHERE (r.value ->> 'identity')::boolean AND r.value ->> 'type' <> 'bigint';
            SELECT mod(mod(v.value - t.low, t.low * -2) + t.low * -2, t.low * -2) + t.low INTO wraps
              FROM (SELECT CASE identity ->> 'type' WHEN 'smallint' THEN -32768 ELSE -2147483648 END::numeric AS low) AS t
             CROSS JOIN LATERAL (
                   SELECT next_value + s.increment_by * CASE WHEN calls > 0 THEN calls - 1 + least(s.cache_size, div((CASE
                              WHEN direction > 0 THEN s.max_value ELSE s.min_value END - next_value) * direction, step) - calls + 1)
                              ELSE 0 END AS value) AS v
             WHERE identity IS NOT NULL AND (v.value < t.low OR v.value >= -t.low) AND v.value BETWEEN s.min_value AND s.max_value
               AND (v.value - next_value) * direction >= calls * step;
            -- The limits that end first: columns that are to be larger (1), the sequence (2), and what no statement changes (3).
            SELECT concat_ws(' -- ',
                             CASE WHEN bool_and(w.kept_by IS NULL)
                                  THEN CASE WHEN bool_or(w.place = 1) AND bool_or(w.place = 2 AND w.text IS NOT NULL)
                                            THEN format('BEGIN; %s COMMIT;', string_agg(w.text, ' ' ORDER BY w.place) FILTER (WHERE w.place < 3))
                                            ELSE string_agg(w.text, ' ' ORDER BY w.place) FILTER (WHERE w.place < 3) END END,
                             nullif(concat_ws('; ', coalesce(string_agg(w.kept_by, '; '),
                                                             CASE WHEN bool_or(w.place = 1)
                                                                  THEN CASE WHEN bool_or(w.is_rewritten) THEN 'rewrites the table; ' ELSE '' END
                                                                       || 'columns that refer to it need the same' END),
                                              string_agg(w.text, '; ') FILTER (WHERE w.place = 3)), '')),
                   string_agg(w.name, ' and ' ORDER BY w.place)
              INTO widen, binds
              FROM (SELECT CASE WHEN direction > 0 THEN 'MAXVALUE' ELSE 'MINVALUE' END AS bound,
                           last_step IN (32767, -32768) AND s.data_type = 'smallint'
                           OR last_step IN (2147483647, -2147483648) AND s.data_type = 'integer'
                           OR last_step IN (9223372036854775807, -9223372036854775808) AS is_end,
                           -- Beyond its own bound another sequence may have its values.
                           (SELECT format('a larger M%sVALUE, agreed with %s, which feeds %s as well', CASE WHEN direction > 0 THEN 'AX' ELSE 'IN' END,
                                          r.value ->> 'rival', r.value ->> 'name')
                              FROM jsonb_array_elements(s.readable) AS r
                             WHERE r.value ->> 'rival' IS NOT NULL
                             LIMIT 1) AS agreed) AS t
             CROSS JOIN LATERAL (
                   SELECT CASE WHEN far <> last_step OR border IS NOT NULL OR NOT t.is_end AND t.agreed IS NOT NULL THEN NULL
                               WHEN NOT t.is_end THEN 'NO ' || t.bound
                               WHEN s.data_type <> 'bigint' THEN 'AS bigint' END AS change) AS h
             CROSS JOIN LATERAL (
                   SELECT coalesce(wraps IS NOT NULL OR h.change = 'AS bigint' OR h.change IS NOT NULL AND s.data_type <> 'smallint'
                                   AND s.data_type <> identity ->> 'type'
                                   OR far = CASE WHEN direction > 0 THEN identity ->> 'largest' ELSE identity ->> 'smallest' END::numeric
                                      AND CASE WHEN direction > 0 THEN identity ->> 'largest_by' ELSE identity ->> 'smallest_by' END IS NULL,
                                   false) AND identity IS NOT NULL AS widens_identity) AS i
             CROSS JOIN LATERAL (
                   SELECT p.place,
                          CASE WHEN p.place = 3 THEN regexp_replace(
                                   CASE e.checked_by
                                        WHEN 'its partitions' THEN format('the next partition of %s, which takes %s', r.value ->> 'table', far + direction)
                                        WHEN 'its own partition bounds' THEN 'wider bounds of the partition ' || (r.value ->> 'table')
                                        ELSE format('a wider %s of %s', e.checked_by, r.value ->> 'name') END, '[[:cntrl:]]', '?', 'g')
                               ELSE format('ALTER TABLE %s ALTER %s TYPE %s%s;', r.value ->> 'table', r.value ->> 'column', r.value ->> 'larger',
                                           CASE WHEN r.value = identity AND h.change LIKE 'NO %'
                                                THEN format(', ALTER %s SET %s', r.value ->> 'column', h.change) END) END AS text,
                          CASE WHEN e.is_last THEN format('the end of %s (%s)', r.value ->> 'name', coalesce(e.checked_by, r.value ->> 'type')) END
                              AS name,
                          CASE WHEN p.place = 1 THEN regexp_replace(concat('a larger type for ', r.value ->> 'name', ', which ALTER TABLE cannot give it: ')
                                                                    || (r.value ->> 'kept_by'), '[[:cntrl:]]', '?', 'g') END AS kept_by,
                          r.value ->> 'larger' NOT IN ('text', 'numeric') AS is_rewritten
                     FROM jsonb_array_elements(s.readable) AS r
                    CROSS JOIN LATERAL (
                          SELECT CASE WHEN direction > 0 THEN r.value ->> 'largest_by' ELSE r.value ->> 'smallest_by' END AS checked_by,
                                 far = CASE WHEN direction > 0 THEN r.value ->> 'largest' ELSE r.value ->> 'smallest' END::numeric
                                 AND far NOT IN (9223372036854775807, -9223372036854775808) AS is_last) AS e
                    CROSS JOIN LATERAL (VALUES
                          (1, CASE WHEN r.value = identity THEN i.widens_identity ELSE e.is_last AND e.checked_by IS NULL END),
                          (3, e.is_last AND e.checked_by IS NOT NULL)) AS p (place, applies)
                    WHERE p.applies
                    UNION ALL
                   SELECT CASE WHEN t.is_end OR t.agreed IS NULL THEN 2 ELSE 3 END,
                          CASE WHEN NOT t.is_end AND t.agreed IS NOT NULL THEN t.agreed
                               WHEN NOT i.widens_identity THEN format('ALTER SEQUENCE %s ', s.qualified_name) || h.change || ';' END,
                          CASE WHEN t.is_end THEN format('the end of the sequence (%s)', s.data_type) ELSE 'its ' || t.bound END, NULL, NULL
                    WHERE far = last_step AND border IS NULL
                    UNION ALL
                   SELECT 3, 'an id_range, agreed with the other writers', 'before another sequence begins', NULL, NULL
                    WHERE far = border - direction) AS w;
            widen := coalesce(nullif(widen, ''), 'nothing is larger than bigint: another key');
            -- Where no "reached maximum value" is before it, the next value would be the other sequence's own.
            enters := coalesce((next_value + calls * s.increment_by - border) * direction >= 0
                               AND next_value + calls * s.increment_by BETWEEN s.min_value AND s.max_value, false);
            widen_or := widen || CASE WHEN widen LIKE '%;' THEN ' -- or ' ELSE '; or ' END;
            -- Another sequence that works, and hands out the same values as this one, now or after a move: the core's judge/twins.py.
            SELECT r.value, o.next INTO twin, twin_next
              FROM jsonb_array_elements(readable) WITH ORDINALITY AS r
             CROSS JOIN LATERAL (SELECT coalesce(CASE WHEN due > 0 THEN (stood ->> (r.value ->> 'twin_oid'))::numeric END, twins[r.ordinality]) AS next,
                                        CASE WHEN border IS NULL
                                             THEN (SELECT direction * max(seen[n.ordinality] * direction)
                                                     FROM jsonb_array_elements(readable) WITH ORDINALITY AS n
                                                    WHERE n.value ->> 'name' = r.value ->> 'name') ELSE of_all END AS furthest,
                                        next_value + due * s.increment_by AS own) AS o
             WHERE r.value ->> 'twin' IS NOT NULL AND (r.value ->> 'own')::boolean
               AND (o.next IS NOT NULL OR due > 0) AND coalesce((o.next - o.furthest) * direction > 0, true)
               AND NOT coalesce(((r.value ->> 'twin_start')::numeric - o.own) * direction > 0 OR (s.start_value - o.next) * direction > 0
                                OR abs(o.next - o.own) > @near_rival@ * step
                                OR mod(o.own - o.next, gcd(s.increment_by::numeric, (r.value ->> 'twin_increment')::numeric)) <> 0, false)
             ORDER BY r.ordinality LIMIT 1;
            twin_cure := concat(
                CASE WHEN twin_next IS NULL THEN format('GRANT SELECT ON SEQUENCE %s TO %I; -- or ', twin ->> 'twin', current_user)
                     WHEN (twin ->> 'is_default')::boolean
                     THEN format('ALTER TABLE %s ALTER %s SET DEFAULT nextval(%L); -- ', twin ->> 'table', twin ->> 'column', twin ->> 'twin') END,
                regexp_replace(format('one sequence for both; the command with an id_range for %s, where each has its own', s.qualified_name),
                               '[[:cntrl:]]', '?', 'g'));
            IF border IS NULL AND apart_from IS NOT NULL THEN
                verdict := 'unknown'; gap := 0;
                reason := format('the next value is %s, and the data have reached %s; %s', next_value, of_all, whose_said);
                cure := whose_cure;
            ELSIF calls > 0 OR apart IS NOT NULL AND outliers = 'report' THEN
                verdict := 'behind';
                reason := format('the next value is %s, and the data have reached %s', next_value, furthest);
                IF margin > 0 AND in_margin THEN
                    reason := format('%s; %s', reason, CASE WHEN margin_fits
                                                            THEN format('margin=%s asks for a next value beyond %s', margin, needed)
                                                            ELSE margin_said END);
                END IF;
                IF apart IS NOT NULL AND outliers = 'report' THEN
                    reason := format('%s; %s, far beyond %s, %s', reason,
                                     CASE apart WHEN 1 THEN 'that is an outlier'
                                          ELSE format('%s values from %s on are outliers', apart, all_seen[apart] * direction) END,
                                     CASE WHEN (decisive - next_value) * direction >= 0 THEN decisive ELSE next_value END,
                                     CASE WHEN (decisive - next_value) * direction >= 0 THEN 'the value before' ELSE 'the next value' END);
                    cure := 'outliers=follow, which moves past them; outliers=ignore, where they are not meant to count; '
                            'or remove the rows; where another writer has them, the command with --id-range';
                END IF;
                IF apart_from IS NOT NULL THEN
                    reason := format('%s; %s', reason, whose_said);
                END IF;
                IF calls = 0 THEN
                    NULL;
                ELSIF is_unsure AND (free > 0 AND refused_by IS NOT NULL
                                     OR free IS NULL AND (due <= left_over OR left_over * @nearly@ >= size)) THEN
                    IF refused_by IS NULL THEN
                        SELECT r.value ->> 'name', r.value ->> 'unread' INTO passed_by, refused_by
                          FROM jsonb_array_elements(s.readable) AS r WHERE r.value ->> 'unread' IS NOT NULL LIMIT 1;
                    END IF;
                    reason := format('%s; the %s of %s, which is not read, may refuse what follows a move, and %s', reason, refused_by, passed_by,
                                     coalesce(free || ' in a row before it are free', 'whether values are free before it could not be read'));
                    cure := format(CASE refused_by WHEN 'partitioning' THEN 'partitions by ranges of %2$s, without a gap'
                                                   ELSE 'a %1$s that only compares %2$s with constants' END
                                   || '; or outliers=follow, which moves it all the same', refused_by, passed_by);
                ELSIF due > left_over AND (outliers <> 'follow' OR enters) AND left_over * @nearly@ < size AND (free IS NULL OR free > left_there) THEN
                    reason := format('%s; a move would leave %s, and %s', reason,
                                     CASE coalesce(left_there, left_over) WHEN 0 THEN 'no value that fits'
                                          ELSE format('%s of %s values', coalesce(left_there, left_over), coalesce(size_there, size)) END,
                                     coalesce(format('pass %s in a row that are free%s', free,
                                                     CASE WHEN takes_again THEN format(' in %s, which has no unique index of its own', passed_by)
                                                          WHEN jsonb_array_length(readable) > 1 THEN ' in ' || passed_by END),
                                              'whether values are free before it could not be read'));
                    cure := CASE WHEN enters THEN widen ELSE widen_or || 'outliers=follow, which moves it all the same' END;
                ELSIF (outliers <> 'follow' OR enters) AND blind.value IS NOT NULL THEN
                    reason := format('%s; a move would pass %s in a row that may be free in %s (%s), which is not compared and may end at %s',
                                     reason, blind.passed, blind.value ->> 'name', blind.value ->> 'type', blind.limit);
                    said := CASE WHEN direction > 0 THEN blind.value ->> 'largest_by' ELSE blind.value ->> 'smallest_by' END;
                    cure := CASE said WHEN 'its partitions' THEN format('the next partition of %s, which takes %s', blind.value ->> 'table',
                                                                        blind.limit + direction)
                                      WHEN 'its own partition bounds' THEN 'wider bounds of the partition ' || (blind.value ->> 'table')
                                      ELSE format(CASE WHEN said IS NULL THEN 'a larger type for %2$s' ELSE 'a wider %1$s of %2$s' END,
                                                  said, blind.value ->> 'name') END || '; or outliers=follow, which moves it all the same';
                ELSIF due > 0 AND outliers <> 'follow' AND twin IS NOT NULL AND NOT enters THEN
                    reason := format('%s; %s', reason, CASE WHEN twin_next IS NULL
                        THEN format('%s feeds %s as well, and role %I may not read what it hands out next', twin ->> 'twin', twin ->> 'name', current_user)
                        ELSE format('a move would let it hand out the same values as %s, which feeds %s as well, is past the data, and hands out %s'
                                    ' next', twin ->> 'twin', twin ->> 'name', twin_next) END);
                    cure := twin_cure || '; or outliers=follow, which moves it all the same';
                ELSIF wraps IS NOT NULL THEN
                    verdict := 'exhausted';
                    reason := format('%s; a move would let the sequence go on beyond the end of %s (%s), and an identity column wraps around'
                                     ' without an error: an insert would get %s', reason, identity ->> 'name', identity ->> 'type', wraps);
                    cure := widen;
                ELSE
                    target := CASE WHEN NOT enters THEN next_value + (calls - 1) * s.increment_by END;
                    IF left_over = 0 AND coalesce(free <= left_there, true) AND free IS NOT NULL THEN
                        verdict := 'exhausted';
                        reason := concat(reason, '; none is free up to ', far, ', ', binds, '; rows beyond it go to ' || beyond);
                        cure := widen;
                    ELSIF calls <= @paste_up_to@ AND s.cache_size = 1 THEN
                        cure := format('WITH RECURSIVE r(v) AS (SELECT pg_catalog.nextval(%1$s) FROM %2$s WHERE (last_value, %3$s) UNION'
                                       ' ALL SELECT pg_catalog.nextval(%1$s) FROM r WHERE v %4$s %5$s) SELECT pg_catalog.%6$s(v) FROM r;%7$s',
                                       quote_literal(s.qualified_name), s.qualified_name,
                                       CASE WHEN direction > 0 THEN format('is_called) < (%s, true', target)
                                            ELSE format('NOT is_called) > (%s, false', target) END,
                                       CASE WHEN direction > 0 THEN '<' ELSE '>' END, target,
                                       CASE WHEN direction > 0 THEN 'max' ELSE 'min' END,
                                       regexp_replace(coalesce(' -- then, for the outliers: ' || cure,
                                                               CASE WHEN apart_from IS NOT NULL THEN ' -- then ' || whose_cure END),
                                                      '[[:cntrl:]]', '?', 'g'));
                    ELSE
                        cure := 'run this script with mode=fix' || CASE WHEN s.cache_size > 1 AND NOT s.may_alter
                                THEN format(' as %s, which owns it: only that discards what sessions have cached', s.owner)
                                ELSE '' END || coalesce('; then, for the outliers: ' || cure,
                                         CASE WHEN apart_from IS NOT NULL THEN '; then ' || whose_cure END, '');
                    END IF;
                END IF;
            ELSIF is_used_up OR wraps IS NOT NULL THEN
                verdict := 'exhausted';
                IF NOT look_again THEN
                    look_again := true;
                    CONTINUE;
                END IF;
                reason := concat('the next value would be ', next_value, ', and the last one that fits is ', far, ', ', binds,
                                 '; rows beyond it go to ' || beyond,
                                 '; an identity column wraps around without an error: the next insert gets ' || wraps);
                cure := CASE WHEN (far - coalesce(decisive + s.increment_by, near)) * direction >= 0
                             THEN widen_or || format('ALTER SEQUENCE %s RESTART WITH %s; -- where nothing refers to ids from there on that '
                                                     'were given out before',
                                                     s.qualified_name, coalesce(decisive + s.increment_by, near))
                             ELSE widen END;
            ELSIF in_margin THEN
                verdict := 'exhausted';
                reason := margin_said;
                cure := 'a smaller margin';
            ELSIF pg_is_in_recovery() AND is_called
                  AND (next_value - (@logged_ahead@ + s.cache_size::numeric) * s.increment_by - furthest) * direction <= 0 THEN
                verdict := 'unknown';
                reason := 'a standby reads the sequence ahead of the primary, by more than it is ahead of the data here';
                cure := 'check on the primary';
            ELSIF apart_from IS NOT NULL THEN
                verdict := 'unknown';
                reason := format('the next value is %s, and the data have reached %s; %s', next_value, of_all, whose_said);
                cure := whose_cure;
            ELSE
                verdict := 'in_sync';
                IF twin IS NOT NULL AND NOT is_reached THEN
                    reason := format('%s feeds %s as well, and hands out the same values: %s next', twin ->> 'twin', twin ->> 'name', twin_next);
                    cure := twin_cure;
                END IF;
            END IF;
            at_first := coalesce(at_first, verdict);
            before := coalesce(before, next_value);
            EXIT WHEN target IS NULL OR mode = 'check';
            IF moves = @rounds@ THEN
                reason := format('it was moved, and the data have gone further meanwhile: %s', reason);
                cure := 'run again when the load is done';
                EXIT;
            END IF;

            -- Move, in one of the two ways that cannot set the sequence back. What others have changed has to be seen,
            -- whatever the session's default is.
            COMMIT;
            SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
            EXECUTE move_settings;
            way := CASE
                WHEN s.cache_size > 1 AND s.may_alter AND may_alter              THEN 'locked'
                WHEN s.may_nextval AND (calls <= @advance_up_to@ OR NOT may_alter) THEN 'advance'
                WHEN s.may_alter AND may_alter                                   THEN 'locked'
                WHEN s.may_nextval                                               THEN 'advance' END;
            moves := moves + 1; free_to := NULL;
            stood := jsonb_build_object(s.sequence_oid, before) || stood;
            sequence_oid := s.sequence_oid; stood_at := last_value; was_called := is_called;
            IF way = 'locked' THEN
                FOR attempt IN 1 .. @lock_attempts@ LOOP
                    problem := NULL;
                    BEGIN
                        @locked@
                    EXCEPTION
                        WHEN OTHERS THEN
                            GET STACKED DIAGNOSTICS trace = PG_EXCEPTION_CONTEXT;
                            -- Through another function than this block, which an event trigger calls.
                            problem := CASE WHEN SQLSTATE NOT IN ('55P03', '57014') AND trace LIKE '%PL/%PL/%' THEN 'SQF02' ELSE SQLSTATE END;
                            said := split_part(SQLERRM, chr(10), 1);
                    END;
                    -- Who queued behind the lock gets through before it is asked for again.
                    COMMIT;
                    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
                    EXECUTE move_settings;
                    EXIT WHEN problem IS DISTINCT FROM '55P03' OR attempt = @lock_attempts@;
                    PERFORM pg_sleep(1 + random() / 2);
                END LOOP;
            ELSIF way = 'advance' THEN
                LOOP
                    problem := NULL;
                    BEGIN
                        @hold@;
                        @state_look@
                        @advance@
                          INTO reached, is_same, is_set_back;
                    EXCEPTION
                        WHEN OTHERS THEN
                            problem := SQLSTATE; said := split_part(SQLERRM, chr(10), 1);
                    END;
                    COMMIT;
                    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
                    EXECUTE move_settings;
                    IF problem IS NULL AND is_same IS DISTINCT FROM true THEN
                        problem := '55000'; said := 'it or what it feeds has changed since it was read';
                    ELSIF problem IS NULL AND is_set_back THEN
                        problem := '55000'; said := 'it was set back since it was read';
                    END IF;
                    EXIT WHEN problem IS NOT NULL OR (reached - target::numeric) * direction >= 0;
                    -- The next chunk goes on from here, or is refused.
                    IF (reached - stood_at::numeric) * direction > 0 THEN
                        stood_at := reached; was_called := true;
                    END IF;
                    IF clock_timestamp() > give_up_at THEN
                        problem := 'SQF01';
                        EXIT;
                    END IF;
                    calls := div(abs(target - reached::numeric) + step - 1, step);
                    IF clock_timestamp() > next_notice_at THEN
                        RAISE NOTICE '% is at %, on its way to %', regexp_replace(s.qualified_name, '[[:cntrl:]]', '?', 'g'),
                                     reached, target;
                        next_notice_at := clock_timestamp() + interval '5 seconds';
                    END IF;
                END LOOP;
            ELSE
                problem := '42501'; said := format('role %I may not move %s', current_user, s.qualified_name);
            END IF;
            IF problem IS NOT NULL THEN
                reason := CASE problem
                    WHEN 'SQF01' THEN format('run_timeout of %s s was over before it was done', current_setting('seqfix.run_timeout'))
                    WHEN '55P03' THEN format('transactions that use %s did not end within lock_timeout', s.qualified_name)
                    WHEN 'SQF02' THEN format('an event trigger refuses ALTER SEQUENCE (%s)', said)
                    ELSE said END;
                cure := CASE problem
                    WHEN 'SQF01' THEN 'run again: it goes on where it stopped'
                    WHEN '55P03' THEN 'run again later, or with lock=none, which waits for nobody'
                    WHEN 'SQF02' THEN 'run with lock=none, which needs no DDL'
                    WHEN '42501' THEN format('GRANT USAGE ON SEQUENCE %s TO %I;', s.qualified_name, current_user)
                    WHEN '25006' THEN 'repair on the primary, in a session that may write'
                    WHEN '55000' THEN 'check again'
                    ELSE 'run again' END;
                EXIT;
            END IF;
        END LOOP;

        IF moves > 0 AND verdict = 'in_sync' AND way = 'advance' AND s.cache_size > 1 THEN
            reason := 'it was moved, and open sessions may still hand out values that they have cached';
            cure := 'reconnect them, or run this as the owner of the sequence';
        END IF;
        place := CASE WHEN pass > 1 THEN array_position(oids, s.sequence_oid) END;
        IF place IS NOT NULL AND moves = 0 AND moved[place] AND verdict = verdicts[place] THEN
            -- A move of this run has changed it.
            keys[place] := s.key;
            CONTINUE;
        END IF;
        IF place IS NOT NULL THEN
            report := ARRAY(SELECT r FROM unnest(report) AS r WHERE r ->> 'oid' <> s.sequence_oid::text);
        ELSE
            done := done + 1;
            place := done;
        END IF;
        oids[place] := s.sequence_oid; verdicts[place] := verdict; moved[place] := moves > 0;
        keys[place] := CASE WHEN has_vanished THEN '' ELSE s.key END;
        IF moves > 0 OR verdict NOT IN ('in_sync', 'skipped') OR verdict = 'in_sync' AND reason IS NOT NULL
           OR current_setting('seqfix.all') = 'on' THEN
            report := report || jsonb_build_object(
                'oid', s.sequence_oid, 'place', place, 'sequence', s.qualified_name, 'columns', s.columns, 'found', at_first, 'verdict', verdict,
                'way', CASE WHEN moves > 0 THEN way END, 'before', before, 'next_value', next_value, 'furthest_value', furthest, 'gap', gap,
                'reason', reason, 'cure', cure);
        END IF;
        IF clock_timestamp() > next_notice_at THEN
            RAISE NOTICE '% of % sequences done', done, s.total;
            next_notice_at := clock_timestamp() + interval '5 seconds';
        END IF;
    END LOOP;
    -- What is made and dropped in between leaves the versions as they were.
    latest := CASE WHEN '' <> ALL (keys) THEN versions END;
    END LOOP;

    COMMIT;
    EXECUTE settings;
    -- What was dropped meanwhile has no verdict any more.
    report := ARRAY(SELECT r FROM unnest(report) AS r JOIN pg_sequence q ON q.seqrelid = (r ->> 'oid')::oid);
    SELECT counts || coalesce(jsonb_object_agg(v.verdict, v.number), '{}')
                  || jsonb_build_object('repaired', coalesce(sum(v.repaired), 0)), coalesce(sum(v.number), 0)
      INTO counts, done
      FROM (SELECT f.verdict, count(*) AS number, count(*) FILTER (WHERE f.was_moved AND f.verdict = 'in_sync') AS repaired
              FROM unnest(oids, verdicts, moved) AS f (oid, verdict, was_moved)
              JOIN pg_sequence q ON q.seqrelid = f.oid
             GROUP BY f.verdict) AS v;
    IF done = 0 AND schema_like || table_like || sequence_like <> '' AND current_setting('seqfix.allow_empty') = 'off' THEN
        RAISE EXCEPTION 'no sequence matches schema=% table=% sequence=%', current_setting('seqfix.schema'),
                        current_setting('seqfix.table'), current_setting('seqfix.sequence')
              USING HINT = 'Names are written as the catalogs hold them, without quotes.';
    END IF;
    PERFORM set_config('seqfix.report', jsonb_build_object('run', current_setting('seqfix.run'), 'mode', mode,
        'seconds', round(extract(epoch FROM clock_timestamp() - started_at)::numeric, 1),
        'checked', done, 'counts', counts, 'sequences', to_jsonb(report))::text, false),
            set_config('statement_timeout', current_setting('seqfix.statement_timeout'), false);
END
$seqfix$;

\set seqfix_failed :ERROR
\set ON_ERROR_STOP on
SELECT pg_catalog.set_config('statement_timeout', CASE
           WHEN pg_catalog.current_setting('seqfix.run', true) OPERATOR(pg_catalog.=) :'seqfix_run'
           THEN pg_catalog.current_setting('seqfix.statement_timeout')
           ELSE pg_catalog.current_setting('statement_timeout') END, false) AS seqfix_ignore \gset
\if :seqfix_failed
    DO 'BEGIN RAISE EXCEPTION ''the run was cut short, see the error above; what was moved stays moved''
        USING HINT = ''Running again goes on where it stopped.''; END';
\endif

-- The report: what is not in sync or was moved, worst first, and then the counts.
BEGIN;
SET LOCAL search_path = pg_catalog, pg_temp;
SELECT nullif(current_setting('seqfix.report', true), '')::jsonb ->> 'run' IS NOT DISTINCT FROM :'seqfix_run'
       AS seqfix_is_here \gset
\if :seqfix_is_here
\else
    DO 'BEGIN RAISE EXCEPTION ''the run is done, and its report stayed in another session''
        USING HINT = ''Run it again on the server itself, not through a pooler in transaction mode.''; END';
\endif

SELECT jsonb_array_length(r -> 'sequences') > 0 AS seqfix_has_rows,
       failing > 0 OR NOT has_checked AND current_setting('seqfix.allow_empty') = 'off' AS seqfix_fails,
       -- A % in the name of a database is none of RAISE's.
       replace(CASE WHEN failing > 0 THEN format('not in sync: %s, see above', failing)
                    ELSE format('nothing was checked: database %s on %s, port %s, has %s; -v allow_empty=on where that is in order',
                                current_database(), :'HOST', :'PORT',
                                CASE r ->> 'checked' WHEN '0' THEN 'no sequence'
                                     ELSE 'only sequences that are skipped (-v all=on lists them)' END) END, '%', '%%') AS seqfix_said
  FROM (SELECT current_setting('seqfix.report')::jsonb AS r) AS report,
       LATERAL (SELECT r -> 'counts' AS c) AS counts,
       LATERAL (SELECT (c ->> 'behind')::bigint + (c ->> 'exhausted')::bigint + (c ->> 'unknown')::bigint AS failing) AS f,
       LATERAL (SELECT failing + (c ->> 'in_sync')::bigint > 0 AS has_checked) AS h \gset
\if :seqfix_has_rows
    SELECT sequence, columns, found, verdict, way, before, next_value, furthest_value, gap, reason, cure
      FROM jsonb_to_recordset(current_setting('seqfix.report')::jsonb -> 'sequences') AS r
           (place bigint, sequence text, columns text, found text, verdict text, way text, before numeric, next_value numeric,
            furthest_value numeric, gap numeric, reason text, cure text)
     ORDER BY array_position('{behind,exhausted,unknown,in_sync,skipped}', verdict), gap DESC NULLS LAST, place
    -- A table where it fits on 120 columns, else a record for each sequence.
    \g (border=0 columns=120 expanded=auto)
\endif
SELECT current_database() AS database, concat(current_user, ', logged in as ' || nullif(session_user, current_user)) AS role,
       r ->> 'mode' AS mode, r ->> 'checked' AS sequences,
       c ->> 'in_sync' AS in_sync, c ->> 'behind' AS behind, c ->> 'exhausted' AS exhausted, c ->> 'unknown' AS unknown,
       c ->> 'skipped' AS skipped, c ->> 'repaired' AS repaired, r ->> 'seconds' AS seconds
  FROM (SELECT current_setting('seqfix.report')::jsonb AS r) AS report,
       LATERAL (SELECT r -> 'counts' AS c) AS counts
\g (border=0)
COMMIT;

-- Each move was committed on this server alone, so that nobody waited for a sequence while a standby was away. Where
-- synchronous_commit asks for it, wait until the standbys have them: without a lock, and Ctrl-C ends it.
DO $seqfix$
BEGIN
    SET LOCAL search_path = pg_catalog, pg_temp;
    IF (current_setting('seqfix.report')::jsonb #>> '{counts,repaired}') <> '0' THEN
        PERFORM pg_logical_emit_message(true, 'seqfix', 'for standbys');
    END IF;
END
$seqfix$;

-- Leave nothing behind.
\if :seqfix_only_checks
    SELECT pg_catalog.set_config('default_transaction_read_only', :'seqfix_read_only', false) AS seqfix_ignore \gset
\endif
SELECT pg_catalog.set_config('application_name', :'seqfix_application_name', false) AS seqfix_ignore \gset
SELECT pg_catalog.count(pg_catalog.set_config(pg_catalog.concat('seqfix.', name), '', false)) AS seqfix_ignore
  FROM pg_catalog.unnest(ARRAY['mode', 'schema', 'table', 'sequence', 'exclude', 'lock', 'margin', 'max_jump',
                               'outliers', 'run_timeout', 'allow_empty', 'all', 'run', 'report', 'statement_timeout']) AS name \gset
SELECT pg_catalog.format('BEGIN RAISE EXCEPTION %L; END', :'seqfix_said')
       AS seqfix_verdict \gset
\if :seqfix_fails
    DO :'seqfix_verdict';
\endif
\set QUIET :seqfix_quiet
\set SHOW_CONTEXT :seqfix_context
\set ON_ERROR_STOP :seqfix_on_error_stop
