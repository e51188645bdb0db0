-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION vrm" to load this file. \quit

SET LOCAL search_path = pg_catalog, pg_temp;

-- An ordinary user with CREATE on the database could have made schema vrm beforehand; its owner
-- could then replace what the superuser is about to put there.
DO $$
DECLARE
    owner pg_roles := (SELECT r FROM pg_roles r JOIN pg_namespace n ON n.nspowner = r.oid
                       WHERE n.nspname = 'vrm');
BEGIN
    IF NOT (owner.rolsuper OR owner.rolname = current_user) THEN
        RAISE EXCEPTION 'schema "vrm" belongs to an ordinary user'
            USING ERRCODE = 'insufficient_privilege',
                  DETAIL = format('Its owner "%s" could replace the functions of the extension.', owner.rolname),
                  HINT = format('Look at what is in it, then: ALTER SCHEMA vrm OWNER TO %I;', current_user);
    END IF;
END
$$;

-- Roles belong to the cluster and to nobody's extension: made when missing, never altered.
DO $$
DECLARE
    missing record;
BEGIN
    FOR missing IN
        SELECT name, attributes
        FROM (VALUES ('anon', 'NOLOGIN'),
                     ('authenticated', 'NOLOGIN'),
                     ('service_role', 'NOLOGIN BYPASSRLS')) AS needed (name, attributes)
        WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
    LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I %s', missing.name, missing.attributes);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;  -- another database has made it meanwhile
        END;
    END LOOP;
END
$$;

-- The installing user's default privileges (Supabase sets generous ones) would open what is made
-- here to roles that nobody has named.
CREATE FUNCTION vrm.set_aside_default_privileges() RETURNS text
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    entry record;
    restoration text := '';
BEGIN
    FOR entry IN
        SELECT CASE WHEN d.defaclnamespace <> 0 THEN ' IN SCHEMA ' || d.defaclnamespace::regnamespace
                    ELSE '' END AS place,
               CASE d.defaclobjtype WHEN 'f' THEN 'FUNCTIONS' WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES'
                    WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' END AS kind,
               a.privilege_type AS privilege, a.grantee::regrole AS grantee,
               CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS option
        FROM pg_default_acl d CROSS JOIN aclexplode(d.defaclacl) AS a
        WHERE d.defaclrole = current_user::regrole AND a.grantee NOT IN (0, d.defaclrole)
          AND d.defaclobjtype IN ('f', 'r', 'S', 'T', 'n')
          AND (d.defaclnamespace = 0 OR d.defaclnamespace::regnamespace::text IN ('vrm', 'vrm_private', 'auth'))
    LOOP
        EXECUTE format('ALTER DEFAULT PRIVILEGES%s REVOKE %s ON %s FROM %s',
                       entry.place, entry.privilege, entry.kind, entry.grantee);
        restoration := restoration || format('ALTER DEFAULT PRIVILEGES%s GRANT %s ON %s TO %s%s;',
                                             entry.place, entry.privilege, entry.kind, entry.grantee, entry.option);
    END LOOP;
    RETURN restoration;
END
$$;
COMMENT ON FUNCTION vrm.set_aside_default_privileges() IS
    'for vrm.install(): revokes the current user''s default privileges; returns the SQL that brings them back';

SELECT set_config('install.default_privileges', vrm.set_aside_default_privileges(), true);
