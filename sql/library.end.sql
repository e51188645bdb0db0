
-- The last statements of the install script -----------------------------------------------------

-- What a role may call is granted by name in the topic's file, never by default.
DO $$
DECLARE
    member record;
BEGIN
    FOR member IN
        SELECT p.oid::regprocedure AS routine
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace AND n.nspname = 'vrm'
        JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
    LOOP
        EXECUTE format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC', member.routine);
    END LOOP;
END
$$;

SELECT vrm.install_platform();

DO $$
BEGIN
    EXECUTE current_setting('install.default_privileges');
END
$$;
