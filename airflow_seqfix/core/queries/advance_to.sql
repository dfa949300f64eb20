-- Call nextval() until it has passed the target; no call where it has already, or where the sequence has changed.
DO {quote}
DECLARE
    target    constant bigint := {target};
    direction constant numeric := {direction};
    reached   bigint;
    is_called boolean;
BEGIN{begin}
    @move_settings@
    @move_held@
    reached := pg_sequence_last_value({oid});
    is_called := reached IS NOT NULL;
    IF is_called OR {is_called} THEN
        reached := coalesce(reached, {last_value});
        @move_due@
    END IF;
    -- Not called yet: the first call tells where it stands.
    WHILE reached * direction < target * direction OR NOT is_called LOOP
        reached := nextval({oid});
        is_called := true;
        -- With CACHE a session hands out first what it has cached earlier.
        CONTINUE WHEN {cache_size} > 1;
        @move_due@
    END LOOP;
END
{quote}
