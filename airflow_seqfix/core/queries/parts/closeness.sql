-- How close the sequence c is to the role w.drawer, which looks its name up for a table in the schema w.schema_oid: what
-- everybody may use makes no name ambiguous where one of that role's, or one beside the table, can be meant.
CASE
    WHEN c.relowner = w.drawer OR c.relnamespace = w.schema_oid THEN 1
    WHEN pg_has_role(w.drawer, c.relowner, 'USAGE') THEN 2
    WHEN has_schema_privilege(w.drawer, c.relnamespace, 'USAGE')
     AND has_sequence_privilege(w.drawer, c.oid, 'USAGE, UPDATE') THEN 3
    ELSE 4
END
