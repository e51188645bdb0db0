-- Users: Supabase's auth schema or the same shape, profiles, roles

-- A sign-up must never fail for the profile's sake, so an error becomes a warning.
CREATE OR REPLACE FUNCTION vrm_private.keep_profile() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO vrm.user_profiles (id, email, full_name, avatar_url)
    VALUES (NEW.id, NEW.email,
            left(NEW.raw_user_meta_data ->> 'full_name', 200),
            left(NEW.raw_user_meta_data ->> 'avatar_url', 2000))
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
    WITH made AS (
        INSERT INTO vrm.user_profiles (id, email, full_name, avatar_url)
        SELECT u.id, u.email, left(u.raw_user_meta_data ->> 'full_name', 200),
               left(u.raw_user_meta_data ->> 'avatar_url', 2000)
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
    UPDATE vrm.user_profiles SET role = set_user_role.role WHERE id = set_user_role.user_id;
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
