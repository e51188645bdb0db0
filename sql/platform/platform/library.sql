-- The platform: ordinary objects of the user's database, made by vrm.install(): members of the extension

CREATE FUNCTION vrm.set_updated_at() RETURNS trigger
    AS 'MODULE_PATHNAME', 'vrm_set_updated_at'
    LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION vrm.set_updated_at() IS
    'BEFORE UPDATE trigger: sets updated_at to the start of the transaction';

CREATE FUNCTION vrm.announce_change() RETURNS trigger
    AS 'MODULE_PATHNAME', 'vrm_announce_change'
    LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION vrm.announce_change() IS
    'AFTER trigger: has every backend, on standbys too, read again what it has kept of the table';

CREATE FUNCTION vrm.install() RETURNS text
    AS 'MODULE_PATHNAME', 'vrm_install'
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    SET standard_conforming_strings = on SET quote_all_identifiers = off;
COMMENT ON FUNCTION vrm.install() IS
    'makes what is missing of the platform (tables, policies, triggers, functions); leaves the rest';

CREATE FUNCTION vrm.upgrade() RETURNS text
    AS 'MODULE_PATHNAME', 'vrm_upgrade'
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    SET standard_conforming_strings = on SET quote_all_identifiers = off;
COMMENT ON FUNCTION vrm.upgrade() IS
    'after ALTER EXTENSION vrm UPDATE: brings the platform to the same version';

CREATE FUNCTION vrm.platform_version() RETURNS text
    AS 'MODULE_PATHNAME', 'vrm_platform_version'
    LANGUAGE C STABLE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION vrm.platform_version() IS
    'version of the platform in this database; null when there is none';

CREATE FUNCTION vrm.install_platform() RETURNS void
    AS 'MODULE_PATHNAME', 'vrm_install_platform'
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    SET standard_conforming_strings = on SET quote_all_identifiers = off;
COMMENT ON FUNCTION vrm.install_platform() IS
    'what CREATE EXTENSION does last: vrm.install(), unless vrm.install_platform or a restore forbids it';

-- Vendors' guides grant all there is in a schema to anon and authenticated: what administers asks further.
CREATE FUNCTION vrm.require_grant(routine regprocedure, through regprocedure DEFAULT '-') RETURNS void
    AS 'MODULE_PATHNAME', 'vrm_require_grant'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.require_grant(regprocedure, regprocedure) IS
    '42501 for who may execute a routine, or what calls it, only because PUBLIC, anon or authenticated were granted it';
GRANT EXECUTE ON FUNCTION vrm.require_grant(regprocedure, regprocedure) TO anon, authenticated, service_role;

-- Functions in pg_temp are anybody's, and a trigger runs as whoever writes: with TRIGGER on a table, as a superuser.
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
COMMENT ON FUNCTION vrm.guard_triggers() IS
    'event trigger: anon and authenticated create no triggers on tables of schema vrm, whatever they were granted';

CREATE EVENT TRIGGER vrm_guard_triggers ON ddl_command_end WHEN TAG IN ('CREATE TRIGGER')
    EXECUTE FUNCTION vrm.guard_triggers();
COMMENT ON EVENT TRIGGER vrm_guard_triggers IS 'clients create no triggers on tables of schema vrm';
