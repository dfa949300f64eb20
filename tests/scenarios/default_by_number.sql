-- Defaults that name their sequence by its OID, as a number: with one cast and more, in a domain, and inside an expression.
CREATE SEQUENCE jobs_seq;
CREATE SEQUENCE tasks_seq;
CREATE SEQUENCE notes_seq;
CREATE SEQUENCE codes_seq AS smallint;
CREATE SEQUENCE small_seq;
DO $$
BEGIN
    EXECUTE format('CREATE TABLE jobs (id bigint PRIMARY KEY DEFAULT nextval((%s)::regclass), note text)', 'jobs_seq'::regclass::oid);
    EXECUTE format('CREATE TABLE tasks (id integer PRIMARY KEY DEFAULT nextval((%s::bigint)::oid), note text)', 'tasks_seq'::regclass::oid);
    EXECUTE format('CREATE DOMAIN note_number AS bigint DEFAULT nextval(%L::oid)', 'notes_seq'::regclass::oid);
    EXECUTE format('CREATE TABLE codes (code text DEFAULT ''C'' || nextval(%s))', 'codes_seq'::regclass::oid);
    EXECUTE format('CREATE TABLE small (id bigint PRIMARY KEY DEFAULT nextval(%s)::smallint, note text)', 'small_seq'::regclass::oid);
END
$$;
CREATE TABLE notes (id note_number PRIMARY KEY, note text);
INSERT INTO jobs (id) SELECT generate_series(1, 100);
INSERT INTO tasks (id) SELECT generate_series(1, 7);
INSERT INTO notes (id) SELECT generate_series(1, 8);
INSERT INTO small (id) VALUES (9), (40000);
