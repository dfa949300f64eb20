-- A view reads the sequence: it depends on it, and is not a column that draws from it.
CREATE TABLE alarms (id serial PRIMARY KEY, note text);
CREATE VIEW alarms_state AS SELECT last_value FROM alarms_id_seq;
INSERT INTO alarms (id) SELECT generate_series(1, 100);
