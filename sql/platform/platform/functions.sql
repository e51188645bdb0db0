-- The platform itself: guards that do not rest on privileges

-- Row level security says nothing of TRUNCATE, which vrm grants to nobody, and vendors' guides to everybody.
CREATE OR REPLACE FUNCTION vrm_private.refuse_truncate() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT pg_has_role(current_user, 'service_role', 'USAGE')
       AND (pg_has_role(current_user, 'anon', 'USAGE') OR pg_has_role(current_user, 'authenticated', 'USAGE')) THEN
        RAISE EXCEPTION 'permission denied to truncate table "%"', TG_TABLE_NAME
            USING ERRCODE = 'insufficient_privilege',
                  DETAIL = 'It would take the rows of all tenants.',
                  HINT = 'As a superuser, who takes back what is granted too widely: SELECT * FROM vrm.repair();';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.refuse_truncate() IS
    'trigger: anon and authenticated empty no table, whatever they were granted';

CREATE OR REPLACE FUNCTION vrm_private.guard_truncate(rel regclass) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT'
                   ' EXECUTE FUNCTION vrm_private.refuse_truncate()', rel);
    EXECUTE format('COMMENT ON TRIGGER refuse_truncate ON %s IS %L', rel, 'clients empty no table');
END
$$;
COMMENT ON FUNCTION vrm_private.guard_truncate(regclass) IS 'keeps clients from emptying a table, for good';

CREATE OR REPLACE FUNCTION vrm_private.guard_tables() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    unguarded regclass;
BEGIN
    PERFORM vrm_private.guard_truncate(c.oid)
    FROM pg_class c
    WHERE c.relnamespace = 'vrm'::regnamespace AND c.relkind IN ('r', 'p')
      AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = 'refuse_truncate');
    -- What nobody is granted, too: a grant by mistake shows nothing then.
    FOR unguarded IN
        SELECT c.oid FROM pg_class c
        WHERE c.relnamespace IN ('vrm'::regnamespace, 'vrm_private'::regnamespace) AND c.relkind IN ('r', 'p')
          AND NOT c.relrowsecurity
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', unguarded);
    END LOOP;
END
$$;
COMMENT ON FUNCTION vrm_private.guard_tables() IS
    'for vrm.install(): row security on all tables and partitions; clients empty none of schema vrm';
REVOKE EXECUTE ON FUNCTION
    vrm_private.refuse_truncate(), vrm_private.guard_truncate(regclass), vrm_private.guard_tables()
    FROM PUBLIC;
