-- Users: Supabase's auth schema or the same shape, profiles, roles: types and tables

CREATE TYPE vrm.user_role AS ENUM ('user', 'manager', 'admin');
COMMENT ON TYPE vrm.user_role IS 'what a person may do in the application; not a database role';

-- Supabase brings schema auth and keeps it; on plain PostgreSQL the same shape is made here.
DO $$
DECLARE
    owner name := (SELECT r.rolname
                   FROM pg_namespace n LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = 'users'
                   JOIN pg_roles r ON r.oid IN (n.nspowner, c.relowner)
                   WHERE n.nspname = 'auth' AND NOT (r.rolsuper OR r.rolname IN (current_user, 'supabase_auth_admin'))
                   LIMIT 1);
BEGIN
    -- Triggers of ours run as superuser on its rows, and with the casts and operators of their types.
    IF owner IS NOT NULL THEN
        RAISE EXCEPTION 'schema "auth" belongs to an ordinary user'
            USING ERRCODE = 'insufficient_privilege',
                  DETAIL = format('Its owner, or that of auth.users, is "%s".', owner),
                  HINT = format('Look, then: ALTER SCHEMA auth OWNER TO %1$I; ALTER TABLE auth.users OWNER TO %1$I',
                                current_user);
    END IF;
    IF to_regclass('auth.users') IS NOT NULL THEN
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM pg_namespace WHERE nspname = 'auth') THEN
        RAISE EXCEPTION 'schema "auth" is there, but has no table "users"'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'vrm keeps people in auth.users, and does not touch a schema "auth" that it did not make.',
                  HINT = 'ALTER SCHEMA auth RENAME TO auth_of_something_else;';
    END IF;

    CREATE SCHEMA auth;
    COMMENT ON SCHEMA auth IS 'people who may sign in, in the shape of Supabase''s schema of this name';
    GRANT USAGE ON SCHEMA auth TO anon, authenticated, service_role;

    CREATE TABLE auth.users (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        aud varchar(255) DEFAULT 'authenticated',
        role varchar(255) DEFAULT 'authenticated',
        email varchar(255),
        encrypted_password varchar(255),
        email_confirmed_at timestamptz,
        phone text,
        last_sign_in_at timestamptz,
        raw_app_meta_data jsonb,
        raw_user_meta_data jsonb,
        is_super_admin boolean,
        is_sso_user boolean NOT NULL DEFAULT false,
        is_anonymous boolean NOT NULL DEFAULT false,
        banned_until timestamptz,
        created_at timestamptz DEFAULT now(),
        updated_at timestamptz DEFAULT now(),
        deleted_at timestamptz
    );
    CREATE UNIQUE INDEX users_email_key ON auth.users (lower(email))
        WHERE NOT is_sso_user AND email_confirmed_at IS NOT NULL;
    COMMENT ON INDEX auth.users_email_key IS
        'one account per address, once it is proved; single sign-on may share them';
    CREATE INDEX users_address ON auth.users (lower(email));
    COMMENT ON INDEX auth.users_address IS 'people by address, proved or not';
    REVOKE ALL ON auth.users FROM PUBLIC, anon, authenticated;
    GRANT SELECT, INSERT, UPDATE, DELETE ON auth.users TO service_role;

    COMMENT ON TABLE auth.users IS 'people who may sign in; each gets a row in vrm.user_profiles';
    COMMENT ON COLUMN auth.users.id IS 'the person, in every table of vrm';
    COMMENT ON COLUMN auth.users.aud IS 'audience of the person''s tokens';
    COMMENT ON COLUMN auth.users.role IS 'database role that the person''s tokens name';
    COMMENT ON COLUMN auth.users.email IS 'address; unique among those who sign in with a password';
    COMMENT ON COLUMN auth.users.encrypted_password IS 'password hash, never a password';
    COMMENT ON COLUMN auth.users.email_confirmed_at IS 'when the address was proved';
    COMMENT ON COLUMN auth.users.phone IS 'telephone number';
    COMMENT ON COLUMN auth.users.last_sign_in_at IS 'last successful sign-in';
    COMMENT ON COLUMN auth.users.raw_app_meta_data IS 'what the application says of the person';
    COMMENT ON COLUMN auth.users.raw_user_meta_data IS 'what people say of themselves: full_name, avatar_url';
    COMMENT ON COLUMN auth.users.is_super_admin IS 'kept for the shape; not used by vrm';
    COMMENT ON COLUMN auth.users.is_sso_user IS 'signs in through an identity provider';
    COMMENT ON COLUMN auth.users.is_anonymous IS 'signed in without saying who';
    COMMENT ON COLUMN auth.users.banned_until IS 'may not sign in before';
    COMMENT ON COLUMN auth.users.created_at IS 'when the account was made';
    COMMENT ON COLUMN auth.users.updated_at IS 'when the account was last changed';
    COMMENT ON COLUMN auth.users.deleted_at IS 'when the account was deleted; null while it lives';

    CREATE FUNCTION auth.uid() RETURNS uuid
        LANGUAGE sql STABLE PARALLEL SAFE AS 'SELECT vrm.uid()';
    CREATE FUNCTION auth.role() RETURNS text
        LANGUAGE sql STABLE PARALLEL SAFE AS 'SELECT vrm.role()';
    CREATE FUNCTION auth.jwt() RETURNS jsonb
        LANGUAGE sql STABLE PARALLEL SAFE AS 'SELECT vrm.jwt()';
    CREATE FUNCTION auth.email() RETURNS text
        LANGUAGE sql STABLE PARALLEL SAFE AS $body$SELECT vrm.jwt() ->> 'email'$body$;
    COMMENT ON FUNCTION auth.uid() IS 'vrm.uid() under Supabase''s name';
    COMMENT ON FUNCTION auth.role() IS 'vrm.role() under Supabase''s name';
    COMMENT ON FUNCTION auth.jwt() IS 'vrm.jwt() under Supabase''s name';
    COMMENT ON FUNCTION auth.email() IS 'e-mail address in the caller''s token';
    REVOKE EXECUTE ON FUNCTION auth.uid(), auth.role(), auth.jwt(), auth.email() FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION auth.uid(), auth.role(), auth.jwt(), auth.email()
        TO anon, authenticated, service_role;
END
$$;

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
    deleted_at timestamptz,
    is_organisation boolean NOT NULL DEFAULT false,
    CONSTRAINT organisation_has_name CHECK (NOT is_organisation OR coalesce(full_name, '') <> '')
);
CREATE INDEX IF NOT EXISTS user_profiles_email ON vrm.user_profiles (lower(email));
ALTER TABLE vrm.user_profiles ALTER COLUMN mfa_secret SET STORAGE EXTERNAL;

COMMENT ON TABLE vrm.user_profiles IS 'what the application knows of each person in auth.users';
COMMENT ON INDEX vrm.user_profiles_email IS 'people by address, in any case';
COMMENT ON COLUMN vrm.user_profiles.id IS 'the person: auth.users.id';
COMMENT ON COLUMN vrm.user_profiles.email IS 'copy of auth.users.email; may be null there, so here';
COMMENT ON COLUMN vrm.user_profiles.full_name IS 'name to show, of a person or of an organisation';
COMMENT ON COLUMN vrm.user_profiles.avatar_url IS 'picture to show';
COMMENT ON COLUMN vrm.user_profiles.organization IS
    'company or team: of members one of their organisations, of others what they say';
COMMENT ON COLUMN vrm.user_profiles.role IS
    'what the person may do in the application; manager is also who manages an organisation';
COMMENT ON COLUMN vrm.user_profiles.mfa_enabled IS 'a second factor is asked for at sign-in';
COMMENT ON COLUMN vrm.user_profiles.mfa_secret IS 'secret of the second factor, sealed';
COMMENT ON COLUMN vrm.user_profiles.last_login IS 'last successful sign-in';
COMMENT ON COLUMN vrm.user_profiles.login_attempts IS
    'failures in a row, as maintenance, an administrator or a success has last written them';
COMMENT ON COLUMN vrm.user_profiles.locked_until IS
    'no sign-in before, written as login_attempts is; vrm.account_standing shows both as they are now';
COMMENT ON COLUMN vrm.user_profiles.created_at IS 'when the profile was made';
COMMENT ON COLUMN vrm.user_profiles.updated_at IS 'when it was last changed';
COMMENT ON COLUMN vrm.user_profiles.deleted_at IS 'when the person asked for deletion; null while alive';
COMMENT ON COLUMN vrm.user_profiles.is_organisation IS
    'an account that nobody signs in to: members act for it, see vrm.act_as()';
COMMENT ON CONSTRAINT organisation_has_name ON vrm.user_profiles IS 'members know it by its name';

-- Locks made by hand.  Those that guesses earn are in vrm_private.lockout, and stop nobody who is in.
CREATE TABLE IF NOT EXISTS vrm_private.account_locks (
    user_id uuid PRIMARY KEY REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    locked_until timestamptz NOT NULL,
    reason text CONSTRAINT reason_length CHECK (length(reason) <= 2000),
    locked_by uuid,
    locked_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE vrm_private.account_locks IS
    'accounts that an administrator has locked; they do nothing, and only an administrator lifts it';
COMMENT ON COLUMN vrm_private.account_locks.user_id IS 'whose account';
COMMENT ON COLUMN vrm_private.account_locks.locked_until IS 'it does nothing before';
COMMENT ON COLUMN vrm_private.account_locks.reason IS 'what the administrator said';
COMMENT ON COLUMN vrm_private.account_locks.locked_by IS 'the administrator; null for the service';
COMMENT ON COLUMN vrm_private.account_locks.locked_at IS 'when';
