IF (reached * direction, is_called) < (stood * direction, has_stood) THEN
        RAISE EXCEPTION 'sequence % was set back since it was read: it stood at %, and stands at %',
                        {shown}, stood, reached
              USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Nothing was moved: check again.';
    END IF;
