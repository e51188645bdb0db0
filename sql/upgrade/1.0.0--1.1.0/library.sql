-- What differs by hand between the members of 1.0.0 and of 1.1.0.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'vrm_use_api_keys') THEN
        CREATE ROLE vrm_use_api_keys NOLOGIN;
        COMMENT ON ROLE vrm_use_api_keys IS 'may open API keys of the person who has signed in';
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;  -- another database has made it meanwhile
END
$$;
GRANT USAGE ON SCHEMA vrm TO vrm_use_api_keys;
-- Functions that are older keep their privileges: dashboards cast statistics to bytea as their caller.
GRANT EXECUTE ON FUNCTION vrm.call_stats_send(vrm.call_stats) TO authenticated;

-- Event triggers are not made by what replaces members.
CREATE FUNCTION vrm.guard_triggers() RETURNS event_trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT pg_has_role(current_user, 'service_role', 'USAGE')
       AND (pg_has_role(current_user, 'anon', 'USAGE') OR pg_has_role(current_user, 'authenticated', 'USAGE'))
       AND EXISTS (SELECT FROM pg_event_trigger_ddl_commands() c
                   JOIN pg_trigger t ON t.oid = c.objid AND c.classid = 'pg_trigger'::regclass
                   JOIN pg_class r ON r.oid = t.tgrelid AND r.relnamespace = 'vrm'::regnamespace) THEN
        RAISE EXCEPTION 'permission denied to create a trigger in schema "vrm"'
            USING ERRCODE = 'insufficient_privilege',
                  DETAIL = 'It would run with the rights of whoever writes the table.',
                  HINT = 'As a superuser, who takes back what is granted too widely: SELECT * FROM vrm.repair();';
    END IF;
END
$$;
CREATE EVENT TRIGGER vrm_guard_triggers ON ddl_command_end WHEN TAG IN ('CREATE TRIGGER')
    EXECUTE FUNCTION vrm.guard_triggers();
CREATE FUNCTION vrm.follow_audited() RETURNS event_trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$BEGIN END$$;
CREATE EVENT TRIGGER vrm_follow_audited ON ddl_command_end WHEN TAG IN ('ALTER TABLE', 'ALTER FOREIGN TABLE')
    EXECUTE FUNCTION vrm.follow_audited();

-- A token of a device names the device, and is good in one cluster.
DROP FUNCTION IF EXISTS vrm.lockout_device_token(text);
