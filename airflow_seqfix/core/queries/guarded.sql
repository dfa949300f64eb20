-- Move one sequence forward where it is still behind. Between the look and the setval() a writer can come in: not
-- proven against concurrent writers, and only run on request.
DO {quote}
DECLARE
    target    constant bigint := {target};
    direction constant numeric := {direction};
    stood     bigint  := {last_value};
    has_stood boolean := {is_called};
    reached   bigint;
    is_called boolean;
    kinds     pg_catalog.text;
BEGIN{begin}
    @move_settings@
    @move_held@
    @state_look@
    @move_due@
    IF (reached * direction, is_called) < (target * direction, true) THEN
        PERFORM setval({oid}, target, true);
    END IF;
END
{quote}
