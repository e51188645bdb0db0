-- Hooks of Supabase Auth, which keeps and checks the passwords there: row security, privileges, triggers

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'supabase_auth_admin') THEN
        GRANT USAGE ON SCHEMA vrm TO supabase_auth_admin;
        GRANT EXECUTE ON FUNCTION vrm.hook_password_verification_attempt(jsonb),
            vrm.hook_mfa_verification_attempt(jsonb) TO supabase_auth_admin;
    END IF;
END
$$;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'supabase_auth_admin') THEN
        GRANT USAGE ON SCHEMA vrm TO supabase_auth_admin;
        GRANT EXECUTE ON FUNCTION vrm.hook_custom_access_token(jsonb) TO supabase_auth_admin;
    END IF;
END
$$;
