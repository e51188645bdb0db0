-- What a routine that is new in an update is granted; sql/replace.awk writes what comes before.
    LOOP
        FOR routine IN
            SELECT m[1] FROM regexp_matches(granted.routines, 'vrm\.\w+\([^()]*\)', 'g') AS m
        LOOP
            IF to_regprocedure(routine)::oid::text
               <> ALL (string_to_array(current_setting('install.members'), ' ')) THEN
                EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO %s', routine, granted.roles);
            END IF;
        END LOOP;
    END LOOP;
END
$$;

