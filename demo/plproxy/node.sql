-- One of several complete databases behind an entry: what the entry may call here.  Run in each, with
-- psql -v ON_ERROR_STOP=1; the entry connects as role "entry".

CREATE ROLE entry LOGIN IN ROLE service_role;
CREATE SCHEMA node;
GRANT USAGE ON SCHEMA node TO entry;

CREATE FUNCTION node.create_tenant(user_id uuid, email text, password text) RETURNS uuid
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'INSERT INTO auth.users (id, email, encrypted_password, email_confirmed_at)
        VALUES (user_id, email, vrm.password_hash(password::vrm.secret), now()) RETURNING id';

CREATE FUNCTION node.sign_in(user_id uuid, email text, password text) RETURNS TABLE (status text, access_token text)
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'SELECT s.status, s.access_token FROM vrm.sign_in(email, password::vrm.secret) AS s';

-- Whoever calls proves it with a token of this database, not by what the entry says.
CREATE FUNCTION node.create_agent(user_id uuid, token text, name text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM vrm.login(token);
    RETURN vrm.create_agent(name);
END
$$;

CREATE FUNCTION node.start_call(user_id uuid, token text, agent_id uuid) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM vrm.login(token);
    RETURN vrm.start_test_run(agent_id);
END
$$;

-- For the service: figures over all tenants, and moving one.
CREATE FUNCTION node.count_calls() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'SELECT count(*) FROM vrm.test_runs';

CREATE FUNCTION node.export_tenant(at_node integer, user_id uuid, transfer_key text) RETURNS SETOF jsonb
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'SELECT vrm.export_tenant(user_id, transfer_key::vrm.secret)';

CREATE FUNCTION node.import_tenant(at_node integer, lines jsonb, transfer_key text) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'SELECT vrm.import_tenant(lines, transfer_key::vrm.secret)';

CREATE FUNCTION node.tenant_digest(at_node integer, user_id uuid) RETURNS text
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'SELECT string_agg(f::text, '' '' ORDER BY f.relation)
        FROM auth.users u, vrm.tenant_fingerprint(u.id) AS f WHERE u.id = tenant_digest.user_id';

CREATE FUNCTION node.lock_tenant(at_node integer, user_id uuid, until timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'SELECT vrm.lock_account(user_id, until, ''moves to another node'')';

CREATE FUNCTION node.unlock_tenant(at_node integer, user_id uuid) RETURNS boolean
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'SELECT vrm.unlock_account(p.email, ''has moved'') FROM vrm.user_profiles p WHERE p.id = user_id';

-- Erased only as it was sent.
CREATE FUNCTION node.leave_tenant(at_node integer, user_id uuid, digest text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    erased bigint;
BEGIN
    IF node.tenant_digest(at_node, user_id) IS DISTINCT FROM digest THEN
        RAISE EXCEPTION 'user "%" has changed since the export', user_id USING ERRCODE = 'serialization_failure';
    END IF;
    erased := vrm.erase_user(user_id, 'moved to another node');
    PERFORM vrm.keep_objects(user_id);
    RETURN erased;
END
$$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA node FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA node TO entry;
