IF (reached * direction, is_called) < ({last_value} * direction, {is_called}) THEN
        RAISE EXCEPTION 'sequence % was set back since it was read: it stood at %, and stands at %',
                        {name}, {last_value}, reached
              USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Nothing was moved: check again.';
    END IF;
