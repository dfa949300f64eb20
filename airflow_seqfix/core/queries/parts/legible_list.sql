ARRAY(
    SELECT {legible}
    FROM pg_catalog.unnest({texts}) WITH ORDINALITY AS each (text, place)
    ORDER BY each.place
)
