-- Users: Supabase's auth schema or the same shape, profiles, roles

-- A sign-up must never fail for the profile's sake, so an error becomes a warning.
CREATE OR REPLACE FUNCTION vrm_private.keep_profile() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO vrm.user_profiles (id, email, full_name, avatar_url, is_organisation)
    VALUES (NEW.id, NEW.email,
            left(NEW.raw_user_meta_data ->> 'full_name', 200),
            left(NEW.raw_user_meta_data ->> 'avatar_url', 2000),
            coalesce(NEW.raw_app_meta_data -> 'is_organisation' = 'true', false))
    ON CONFLICT (id) DO UPDATE SET email = EXCLUDED.email;
    RETURN NULL;
EXCEPTION
    WHEN OTHERS THEN
        RAISE WARNING 'no profile was made for user "%": %', NEW.id, SQLERRM
            USING HINT = 'Mend what the message says, then: SELECT vrm.create_missing_profiles();';
        RETURN NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.keep_profile() IS
    'trigger on auth.users: makes the profile of a new user, follows a change of address';
REVOKE EXECUTE ON FUNCTION vrm_private.keep_profile() FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm.create_missing_profiles() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm.require_grant('vrm.create_missing_profiles()');
    WITH made AS (
        INSERT INTO vrm.user_profiles (id, email, full_name, avatar_url, is_organisation)
        SELECT u.id, u.email, left(u.raw_user_meta_data ->> 'full_name', 200),
               left(u.raw_user_meta_data ->> 'avatar_url', 2000),
               coalesce(u.raw_app_meta_data -> 'is_organisation' = 'true', false)
        FROM auth.users u
        WHERE NOT EXISTS (SELECT FROM vrm.user_profiles p WHERE p.id = u.id)
        ON CONFLICT (id) DO NOTHING
        RETURNING id)
    SELECT count(*) FROM made
$$;
COMMENT ON FUNCTION vrm.create_missing_profiles() IS
    'makes profiles for users who were there before vrm; returns how many';
REVOKE EXECUTE ON FUNCTION vrm.create_missing_profiles() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.create_missing_profiles() TO service_role;

-- The role decides what everybody else may do: administrators only, and never over themselves.
CREATE OR REPLACE FUNCTION vrm.set_user_role(user_id uuid, role vrm.user_role) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT vrm_private.is_admin() OR set_user_role.user_id = vrm.uid() THEN
        RAISE EXCEPTION 'permission denied to change the role of a user'
            USING ERRCODE = 'insufficient_privilege',
                  HINT = 'Ask another administrator of the application.';
    END IF;
    UPDATE vrm.user_profiles SET role = set_user_role.role
    WHERE id = set_user_role.user_id AND NOT is_organisation;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'user "%" does not exist', set_user_role.user_id
            USING ERRCODE = 'no_data_found',
                  HINT = 'SELECT id, email FROM vrm.user_profiles;';
    END IF;
END
$$;
COMMENT ON FUNCTION vrm.set_user_role(uuid, vrm.user_role) IS
    'administrators only: makes another person a user, manager or admin';
REVOKE EXECUTE ON FUNCTION vrm.set_user_role(uuid, vrm.user_role) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.set_user_role(uuid, vrm.user_role) TO authenticated;

-- What makes an administrator, turns a second factor off or lifts a lock is written by functions, which run as
-- their owner, and by the service: not by clients, whatever they were granted.
CREATE OR REPLACE FUNCTION vrm_private.guard_profile() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT pg_has_role(current_user, 'service_role', 'USAGE')
       AND (pg_has_role(current_user, 'anon', 'USAGE') OR pg_has_role(current_user, 'authenticated', 'USAGE')) THEN
        RAISE EXCEPTION 'permission denied to change the standing of an account'
            USING ERRCODE = 'insufficient_privilege',
                  DETAIL = 'Role, address, second factor, locks and deletion are for functions of vrm to change.',
                  HINT = 'An administrator may: SELECT vrm.set_user_role(user_id, role);';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION vrm_private.guard_profile() IS
    'trigger: anon and authenticated change no role, factor or lock, whatever they were granted';
REVOKE EXECUTE ON FUNCTION vrm_private.guard_profile() FROM PUBLIC;

-- On top of what each table's own policies allow, and whoever added the table: only accounts that are
-- neither locked nor deleted, have shown their second factor if they have one, and are no anonymous
-- sign-ins.  No subqueries, which Citus takes in no policy.
CREATE OR REPLACE FUNCTION vrm_private.guard_tenants() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    tenant regclass;
    command text;
BEGIN
    FOR tenant IN
        SELECT c.oid::regclass
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname IN ('vrm', 'vrm_private')
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'user_id'
        WHERE c.relkind IN ('r', 'p') AND c.relrowsecurity AND NOT c.relispartition
          AND EXISTS (SELECT FROM pg_policy p
                      WHERE p.polrelid = c.oid AND p.polroles @> ARRAY['authenticated'::regrole::oid])
    LOOP
        IF NOT EXISTS (SELECT FROM pg_policy
                       WHERE polrelid = tenant AND polname = 'accounts in good standing only') THEN
            EXECUTE format('CREATE POLICY "accounts in good standing only" ON %s AS RESTRICTIVE'
                           ' TO authenticated USING (vrm.may_act())', tenant);
            EXECUTE format('COMMENT ON POLICY "accounts in good standing only" ON %s IS %L', tenant,
                           'not locked, deleted or anonymous, and aal2 where a second factor is on');
        END IF;
        IF NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = tenant AND polname = 'viewers insert nothing') THEN
            EXECUTE format('CREATE POLICY "viewers insert nothing" ON %s AS RESTRICTIVE FOR INSERT TO authenticated'
                           ' WITH CHECK (vrm.may_write())', tenant);
            EXECUTE format('CREATE POLICY "viewers update nothing" ON %s AS RESTRICTIVE FOR UPDATE TO authenticated'
                           ' USING (true) WITH CHECK (vrm.may_write())', tenant);
            EXECUTE format('CREATE POLICY "viewers delete nothing" ON %s AS RESTRICTIVE FOR DELETE TO authenticated'
                           ' USING (vrm.may_write())', tenant);
            FOREACH command IN ARRAY '{insert,update,delete}'::text[] LOOP
                EXECUTE format('COMMENT ON POLICY "viewers %s nothing" ON %s IS %L', command, tenant,
                               'viewers of an organisation read only');
            END LOOP;
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION vrm_private.guard_tenants() IS
    'for vrm.install(): gives every table of users its restrictive policies';
REVOKE EXECUTE ON FUNCTION vrm_private.guard_tenants() FROM PUBLIC;

-- Only for a row that a constraint would refuse, without a word of what it wants: see the WHEN of the triggers.
CREATE OR REPLACE FUNCTION vrm_private.refuse_length() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    got integer;
BEGIN
    FOR i IN 0 .. TG_NARGS - 1 BY 3 LOOP
        EXECUTE format('SELECT length(($1).%I)', TG_ARGV[i]) INTO got USING NEW;
        IF got NOT BETWEEN TG_ARGV[i + 1]::integer AND TG_ARGV[i + 2]::integer THEN
            RAISE EXCEPTION '% of "%" is not valid', TG_ARGV[i], TG_TABLE_NAME
                USING ERRCODE = 'check_violation', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, COLUMN = TG_ARGV[i],
                      CONSTRAINT = TG_ARGV[i] || '_length',
                      DETAIL = format('It must be a text of %s to %s characters, got %s.', TG_ARGV[i + 1],
                                      TG_ARGV[i + 2], got),
                      HINT = 'The limits are in doc/data-architecture.md.';
        END IF;
    END LOOP;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION vrm_private.refuse_length() IS
    'trigger with columns and their lengths, least and most: says which of them is too short or too long';
REVOKE EXECUTE ON FUNCTION vrm_private.refuse_length() FROM PUBLIC;
