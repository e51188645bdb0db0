-- Users: Supabase's auth schema or the same shape, profiles, roles: row security, privileges, triggers

CREATE TRIGGER set_updated_at BEFORE UPDATE ON vrm.user_profiles
    FOR EACH ROW EXECUTE FUNCTION vrm.set_updated_at();
COMMENT ON TRIGGER set_updated_at ON vrm.user_profiles IS 'keeps updated_at';
CREATE TRIGGER check_lengths BEFORE INSERT OR UPDATE ON vrm.user_profiles
    FOR EACH ROW WHEN (length(NEW.full_name) > 200 OR length(NEW.organization) > 200 OR length(NEW.avatar_url) > 2000)
    EXECUTE FUNCTION vrm_private.refuse_length(
        'full_name', '0', '200', 'organization', '0', '200', 'avatar_url', '0', '2000');
COMMENT ON TRIGGER check_lengths ON vrm.user_profiles IS 'says what the limits are';

CREATE TRIGGER guard_profile BEFORE UPDATE ON vrm.user_profiles FOR EACH ROW
    WHEN (OLD.id IS DISTINCT FROM NEW.id
          OR OLD.email IS DISTINCT FROM NEW.email
          OR OLD.role IS DISTINCT FROM NEW.role
          OR OLD.mfa_enabled IS DISTINCT FROM NEW.mfa_enabled
          OR OLD.mfa_secret IS DISTINCT FROM NEW.mfa_secret
          OR OLD.last_login IS DISTINCT FROM NEW.last_login
          OR OLD.login_attempts IS DISTINCT FROM NEW.login_attempts
          OR OLD.locked_until IS DISTINCT FROM NEW.locked_until
          OR OLD.created_at IS DISTINCT FROM NEW.created_at
          OR OLD.deleted_at IS DISTINCT FROM NEW.deleted_at)
    EXECUTE FUNCTION vrm_private.guard_profile();
COMMENT ON TRIGGER guard_profile ON vrm.user_profiles IS 'clients change no role, factor or lock';

CREATE TRIGGER vrm_shred_deleted_user AFTER DELETE ON vrm.user_profiles
    FOR EACH ROW EXECUTE FUNCTION vrm_private.shred_deleted_user();
COMMENT ON TRIGGER vrm_shred_deleted_user ON vrm.user_profiles IS 'no key outlives its user';

CREATE TRIGGER vrm_keep_profile AFTER INSERT OR UPDATE OF email ON auth.users
    FOR EACH ROW EXECUTE FUNCTION vrm_private.keep_profile();
COMMENT ON TRIGGER vrm_keep_profile ON auth.users IS 'makes the profile of a new user';

ALTER TABLE vrm.user_profiles ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm.user_profiles FROM PUBLIC, anon, authenticated;
-- all but the second factor's secret, sealed or not; vrm.profiles is there for SELECT *
GRANT SELECT (id, email, full_name, avatar_url, organization, role, mfa_enabled, last_login, login_attempts,
              locked_until, created_at, updated_at, deleted_at, is_organisation),
      UPDATE (full_name, avatar_url, organization)
    ON vrm.user_profiles TO authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON vrm.user_profiles TO service_role;

REVOKE ALL ON vrm.profiles FROM PUBLIC, anon, authenticated, service_role;
GRANT SELECT, UPDATE (full_name, avatar_url, organization) ON vrm.profiles TO authenticated;
GRANT SELECT ON vrm.profiles TO service_role;

-- The only table with an arm for administrators: it is small, and an OR costs the others their index.
CREATE POLICY "users read their own profile" ON vrm.user_profiles
    FOR SELECT TO authenticated
    USING (id = vrm.uid() OR (SELECT vrm_private.is_admin()));
COMMENT ON POLICY "users read their own profile" ON vrm.user_profiles IS
    'own profile; administrators see all';
CREATE POLICY "members read their own profile, too" ON vrm.user_profiles
    FOR SELECT TO authenticated
    USING (id = vrm.actor());
COMMENT ON POLICY "members read their own profile, too" ON vrm.user_profiles IS
    'beside that of the organisation that they act for';
CREATE POLICY "users update their own profile" ON vrm.user_profiles
    FOR UPDATE TO authenticated
    USING (id = vrm.uid());
COMMENT ON POLICY "users update their own profile" ON vrm.user_profiles IS
    'own profile, and of it the columns that are granted';

-- Everybody sees the own profile, so that an application can say what is wrong.
CREATE POLICY "accounts in good standing only" ON vrm.user_profiles
    AS RESTRICTIVE FOR UPDATE TO authenticated
    USING (vrm.may_act());
COMMENT ON POLICY "accounts in good standing only" ON vrm.user_profiles IS
    'not locked, deleted or anonymous, and aal2 where a second factor is on';
CREATE POLICY "organisations are changed by their admins" ON vrm.user_profiles
    AS RESTRICTIVE FOR UPDATE TO authenticated
    USING (true)
    WITH CHECK (coalesce(vrm.team_role(), 'admin') = 'admin');
COMMENT ON POLICY "organisations are changed by their admins" ON vrm.user_profiles IS
    'members read the profile of the organisation that they act for';

REVOKE ALL ON vrm_private.account_locks FROM PUBLIC, anon, authenticated, service_role;
ALTER TABLE vrm_private.account_locks ENABLE ROW LEVEL SECURITY;
CREATE TRIGGER announce_change AFTER INSERT OR UPDATE OR DELETE ON vrm_private.account_locks
    FOR EACH ROW EXECUTE FUNCTION vrm.announce_change();
ALTER TABLE vrm_private.account_locks ENABLE ALWAYS TRIGGER announce_change;  -- for what a subscription brings, too
COMMENT ON TRIGGER announce_change ON vrm_private.account_locks IS 'makes backends forget the locks they have read';
