-- Move one sequence forward where it is still behind. Between the look and the setval() a writer can come in: not
-- proven against concurrent writers, and only run on request.
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
    -- Not called: where it was read. Only a setval() of somebody else could have put it elsewhere since.
    reached := coalesce(reached, {last_value});
    @move_due@
    IF (reached * direction, is_called) < (target * direction, true) THEN
        PERFORM setval({oid}, target, true);
    END IF;
END
{quote}
