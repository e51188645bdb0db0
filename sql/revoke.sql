-- What a role may call is granted by name in the topic's file, never by default.  Privileges on what
-- was there before an update are the DBA's business.
DO $$
DECLARE
    member record;
BEGIN
    FOR member IN
        SELECT d.objid::regprocedure AS routine
        FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'vrm'
        WHERE d.refclassid = 'pg_extension'::regclass AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
          AND d.objid::text <> ALL (string_to_array(coalesce(current_setting('install.members', true), ''), ' '))
    LOOP
        EXECUTE format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC', member.routine);
    END LOOP;
END
$$;

