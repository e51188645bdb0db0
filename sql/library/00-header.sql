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
        EXECUTE format('CREATE ROLE %I %s', missing.name, missing.attributes);
    END LOOP;
END
$$;
