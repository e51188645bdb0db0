-- Accounts -------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS vrm.user_profiles (
    id uuid PRIMARY KEY REFERENCES auth.users (id) ON DELETE CASCADE,
    email text,
    full_name text CONSTRAINT full_name_length CHECK (length(full_name) <= 200),
    avatar_url text CONSTRAINT avatar_url_length CHECK (length(avatar_url) <= 2000),
    organization text CONSTRAINT organization_length CHECK (length(organization) <= 200),
    role vrm.user_role NOT NULL DEFAULT 'user',
    mfa_enabled boolean NOT NULL DEFAULT false,
    mfa_secret vrm.sealed,
    last_login timestamptz,
    login_attempts integer NOT NULL DEFAULT 0,
    locked_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz
);
CREATE INDEX IF NOT EXISTS user_profiles_email ON vrm.user_profiles (lower(email));
ALTER TABLE vrm.user_profiles ALTER COLUMN mfa_secret SET STORAGE EXTERNAL;

COMMENT ON TABLE vrm.user_profiles IS 'what the application knows of each person in auth.users';
COMMENT ON INDEX vrm.user_profiles_email IS 'people by address, in any case';
COMMENT ON COLUMN vrm.user_profiles.id IS 'the person: auth.users.id';
COMMENT ON COLUMN vrm.user_profiles.email IS 'copy of auth.users.email; may be null there, so here';
COMMENT ON COLUMN vrm.user_profiles.full_name IS 'name to show';
COMMENT ON COLUMN vrm.user_profiles.avatar_url IS 'picture to show';
COMMENT ON COLUMN vrm.user_profiles.organization IS 'company or team';
COMMENT ON COLUMN vrm.user_profiles.role IS 'what the person may do in the application';
COMMENT ON COLUMN vrm.user_profiles.mfa_enabled IS 'a second factor is asked for at sign-in';
COMMENT ON COLUMN vrm.user_profiles.mfa_secret IS 'secret of the second factor, sealed';
COMMENT ON COLUMN vrm.user_profiles.last_login IS 'last successful sign-in';
COMMENT ON COLUMN vrm.user_profiles.login_attempts IS 'failures in a row, as of the last transition';
COMMENT ON COLUMN vrm.user_profiles.locked_until IS 'no sign-in before, as of the last transition';
COMMENT ON COLUMN vrm.user_profiles.created_at IS 'when the profile was made';
COMMENT ON COLUMN vrm.user_profiles.updated_at IS 'when it was last changed';
COMMENT ON COLUMN vrm.user_profiles.deleted_at IS 'when the person asked for deletion; null while alive';

CREATE TABLE IF NOT EXISTS vrm_private.password_reset_tokens (
    user_id uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    token_hash bytea NOT NULL CONSTRAINT token_hash_is_sha256 CHECK (length(token_hash) = 32),
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, id)
);
ALTER TABLE vrm_private.password_reset_tokens ALTER COLUMN id SET DEFAULT vrm.uuid7();
REVOKE ALL ON vrm_private.password_reset_tokens FROM PUBLIC, anon, authenticated;

COMMENT ON TABLE vrm_private.password_reset_tokens IS
    'password resets that were asked for; a row is deleted when its token is used';
COMMENT ON COLUMN vrm_private.password_reset_tokens.user_id IS 'whose password';
COMMENT ON COLUMN vrm_private.password_reset_tokens.id IS 'the request';
COMMENT ON COLUMN vrm_private.password_reset_tokens.token_hash IS 'SHA-256 of the token, which is kept nowhere';
COMMENT ON COLUMN vrm_private.password_reset_tokens.expires_at IS 'worthless from then on';
COMMENT ON COLUMN vrm_private.password_reset_tokens.created_at IS 'when it was asked for';

CREATE TRIGGER set_updated_at BEFORE UPDATE ON vrm.user_profiles
    FOR EACH ROW EXECUTE FUNCTION vrm.set_updated_at();
COMMENT ON TRIGGER set_updated_at ON vrm.user_profiles IS 'keeps updated_at';

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

CREATE TRIGGER vrm_keep_profile AFTER INSERT OR UPDATE OF email ON auth.users
    FOR EACH ROW EXECUTE FUNCTION vrm_private.keep_profile();
COMMENT ON TRIGGER vrm_keep_profile ON auth.users IS 'makes the profile of a new user';

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

SELECT vrm.create_missing_profiles();

CREATE OR REPLACE FUNCTION vrm_private.is_admin() RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM vrm.user_profiles
                   WHERE id = vrm.uid() AND role = 'admin')
       AND vrm.account_problem() IS NULL
$$;
COMMENT ON FUNCTION vrm_private.is_admin() IS 'whether the caller administers the application';
REVOKE EXECUTE ON FUNCTION vrm_private.is_admin() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm_private.is_admin() TO authenticated;

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

ALTER TABLE vrm.user_profiles ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm.user_profiles FROM PUBLIC, anon, authenticated;
GRANT SELECT ON vrm.user_profiles TO authenticated;
GRANT UPDATE (full_name, avatar_url, organization) ON vrm.user_profiles TO authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON vrm.user_profiles TO service_role;

-- The only table with an arm for administrators: it is small, and an OR costs the others their index.
CREATE POLICY "users read their own profile" ON vrm.user_profiles
    FOR SELECT TO authenticated
    USING (id = vrm.uid() OR (SELECT vrm_private.is_admin()));
COMMENT ON POLICY "users read their own profile" ON vrm.user_profiles IS
    'own profile; administrators see all';
CREATE POLICY "users update their own profile" ON vrm.user_profiles
    FOR UPDATE TO authenticated
    USING (id = vrm.uid());
COMMENT ON POLICY "users update their own profile" ON vrm.user_profiles IS
    'own profile, and of it the columns that are granted';

ALTER TABLE vrm_private.password_reset_tokens ENABLE ROW LEVEL SECURITY;
