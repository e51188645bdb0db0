-- Doctor: what is wrong with the installation, and the statement that mends it: members of the extension

CREATE FUNCTION vrm.version() RETURNS text
    AS 'MODULE_PATHNAME', 'vrm_version'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.version() IS 'version of the module that is loaded';

CREATE FUNCTION vrm.build_info(
    OUT version text, OUT compiler text, OUT postgresql_built text, OUT postgresql_running text,
    OUT openssl_built text, OUT openssl_running text
)
    AS 'MODULE_PATHNAME', 'vrm_build_info'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.build_info() IS
    'what the module was compiled with and for, beside what it runs with now';

GRANT EXECUTE ON FUNCTION vrm.version(), vrm.build_info()
    TO anon, authenticated, service_role, pg_monitor;

CREATE FUNCTION vrm.master_key_problem(OUT detail text, OUT hint text)
    AS 'MODULE_PATHNAME', 'vrm_master_key_problem'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.master_key_problem() IS
    'why there is no master key, read as if a value were to be opened now; nulls when there is one';

CREATE FUNCTION vrm.missing_from_platform() RETURNS text
    AS 'MODULE_PATHNAME', 'vrm_missing_from_platform'
    LANGUAGE C STABLE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION vrm.missing_from_platform() IS
    'statements of vrm.platform_script() whose objects are not there, a line each; null when all are';

-- A member, so that it can tell when the platform is gone or of another version.  What it finds there
-- is asked of the platform itself.
CREATE FUNCTION vrm.doctor(
    OUT check_name text, OUT status text, OUT detail text, OUT hint text, OUT fix_sql text
) RETURNS SETOF record
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off
    SET standard_conforming_strings = on SET quote_all_identifiers = off AS $$
#variable_conflict use_column
DECLARE
    library text := (SELECT extversion FROM pg_extension WHERE extname = 'vrm');
    available text := (SELECT default_version FROM pg_available_extensions WHERE name = 'vrm');
    platform text := vrm.platform_version();
BEGIN
    PERFORM vrm.require_grant('vrm.doctor()', coalesce(to_regprocedure('vrm.report(text)'), '-'));
    RETURN QUERY SELECT 'version', 'ok', format('module, members and files are of version %s', library), NULL, NULL
    WHERE library = vrm.version() AND library IS NOT DISTINCT FROM available;
    RETURN QUERY SELECT 'version', 'fail', format('the members are of version %s, the loaded module is %s and the'
                                                  ' installed files are %s', library, vrm.version(), available),
                        'The fix updates the members; a session that began before keeps the old module.',
                        'ALTER EXTENSION vrm UPDATE;'
    WHERE library <> vrm.version() OR library IS DISTINCT FROM available;
    -- before there is a platform, anybody who may create schemas could have put something under that name
    IF NOT EXISTS (SELECT FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner AND r.rolsuper
                   WHERE p.oid = to_regprocedure('vrm_private.doctor()')) THEN
        RETURN QUERY SELECT 'platform', 'fail', 'there is no platform in this database',
                            'Superusers only.', 'SELECT vrm.install();';
        RETURN;
    END IF;
    RETURN QUERY SELECT 'platform', 'fail', format('the platform is of version %s, the members are of %s',
                                                   coalesce(platform, 'unknown'), library),
                        'Superusers only.', 'SELECT vrm.upgrade();'
    WHERE platform IS DISTINCT FROM library;
    RETURN QUERY EXECUTE 'SELECT * FROM vrm_private.doctor()';
END
$$;
COMMENT ON FUNCTION vrm.doctor() IS
    'what is wrong with settings, privileges and objects, each finding with the statement that mends it';
GRANT EXECUTE ON FUNCTION vrm.doctor() TO pg_monitor;
