-- Users: Supabase's auth schema or the same shape, profiles, roles: views

CREATE OR REPLACE VIEW vrm.profiles WITH (security_invoker = true) AS
SELECT id, email, full_name, avatar_url, organization, role, mfa_enabled, last_login, login_attempts, locked_until,
       created_at, updated_at, deleted_at, is_organisation
FROM vrm.user_profiles;
COMMENT ON VIEW vrm.profiles IS
    'vrm.user_profiles without the second factor''s secret, for SELECT *; what people write there they write here';
COMMENT ON COLUMN vrm.profiles.id IS 'the person: auth.users.id';
COMMENT ON COLUMN vrm.profiles.email IS 'address';
COMMENT ON COLUMN vrm.profiles.full_name IS 'name to show, of a person or of an organisation';
COMMENT ON COLUMN vrm.profiles.avatar_url IS 'picture to show';
COMMENT ON COLUMN vrm.profiles.organization IS 'company or team';
COMMENT ON COLUMN vrm.profiles.role IS 'what the person may do in the application';
COMMENT ON COLUMN vrm.profiles.mfa_enabled IS 'a second factor is asked for at sign-in';
COMMENT ON COLUMN vrm.profiles.last_login IS 'last successful sign-in, as last written';
COMMENT ON COLUMN vrm.profiles.login_attempts IS 'failures in a row, as last written';
COMMENT ON COLUMN vrm.profiles.locked_until IS 'no sign-in before, as last written';
COMMENT ON COLUMN vrm.profiles.created_at IS 'when the profile was made';
COMMENT ON COLUMN vrm.profiles.updated_at IS 'when it was last changed';
COMMENT ON COLUMN vrm.profiles.deleted_at IS 'when the person asked for deletion; null while alive';
COMMENT ON COLUMN vrm.profiles.is_organisation IS 'an account that nobody signs in to';
