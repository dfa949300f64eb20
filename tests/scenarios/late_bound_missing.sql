-- The text names a sequence that is gone: nothing to check, and the insert says so.
CREATE TABLE jobs (id bigint PRIMARY KEY DEFAULT nextval('jobs_seq'::text), note text);
