NOT EXISTS (SELECT FROM {columns}
          LEFT JOIN (pg_class c
                     JOIN pg_namespace n ON n.oid = c.relnamespace
                     JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped)
                 ON c.oid = v.table_oid AND a.attnum = v.column_number
         WHERE v.version IS DISTINCT FROM CASE WHEN c.oid IS NOT NULL THEN
               @column_version@ END)
