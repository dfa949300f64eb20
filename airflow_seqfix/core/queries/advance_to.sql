-- Call nextval() until it has passed the target; no call where it has already, or where the sequence has changed.
DO {quote}
DECLARE
    target    constant bigint := {target};
    direction constant numeric := {direction};
    stood     bigint  := {last_value};
    has_stood boolean := {is_called};
    reached   bigint;
    is_called boolean;
    kinds     pg_catalog.text;
    drawn     bigint;
BEGIN{begin}
    @move_settings@
    @move_held@
    @state_look@
    @move_due@
    WHILE (reached * direction, is_called) < (target * direction, true) OR drawn * direction < target * direction LOOP
        stood := reached; has_stood := is_called;
        drawn := nextval({oid});
        -- With CACHE a session hands out first what it has cached earlier, which does not tell where the sequence stands.
        IF {cache_size} = 1 THEN
            reached := drawn;
        ELSE
            reached := coalesce(pg_sequence_last_value({oid}), stood);
        END IF;
        is_called := true;
        @move_due@
    END LOOP;
END
{quote}
