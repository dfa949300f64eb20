-- Names of 63 bytes: the server cut both to make the sequence's name.
CREATE TABLE a_table_with_a_name_of_exactly_as_many_bytes_as_postgresql_allo (
    a_column_with_a_name_of_exactly_as_many_bytes_as_postgresql_all serial PRIMARY KEY, note text);
INSERT INTO a_table_with_a_name_of_exactly_as_many_bytes_as_postgresql_allo SELECT generate_series(1, 100);
