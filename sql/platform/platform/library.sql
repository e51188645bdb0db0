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
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION vrm.install() IS
    'makes what is missing of the platform (tables, policies, triggers, functions); leaves the rest';

CREATE FUNCTION vrm.upgrade() RETURNS text
    AS 'MODULE_PATHNAME', 'vrm_upgrade'
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION vrm.upgrade() IS
    'after ALTER EXTENSION vrm UPDATE: brings the platform to the same version';

CREATE FUNCTION vrm.platform_version() RETURNS text
    AS 'MODULE_PATHNAME', 'vrm_platform_version'
    LANGUAGE C STABLE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION vrm.platform_version() IS
    'version of the platform in this database; null when there is none';

CREATE FUNCTION vrm.install_platform() RETURNS void
    AS 'MODULE_PATHNAME', 'vrm_install_platform'
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION vrm.install_platform() IS
    'what CREATE EXTENSION does last: vrm.install(), unless vrm.install_platform or a restore forbids it';
