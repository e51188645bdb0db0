-- Lockout: who has failed how often, which no ROLLBACK takes back: row security, privileges, triggers

CREATE TRIGGER announce_change AFTER INSERT OR UPDATE OR DELETE ON vrm.lockout_policy
    FOR EACH ROW EXECUTE FUNCTION vrm.announce_change();
ALTER TABLE vrm.lockout_policy ENABLE ALWAYS TRIGGER announce_change;  -- for what a subscription brings, too
COMMENT ON TRIGGER announce_change ON vrm.lockout_policy IS 'makes backends forget the policy they have read';

CREATE TRIGGER announce_change AFTER INSERT OR UPDATE OR DELETE ON vrm_private.lockout_secret
    FOR EACH ROW EXECUTE FUNCTION vrm.announce_change();
ALTER TABLE vrm_private.lockout_secret ENABLE ALWAYS TRIGGER announce_change;  -- for what a subscription brings, too
COMMENT ON TRIGGER announce_change ON vrm_private.lockout_secret IS 'makes backends forget the secret they have read';
REVOKE ALL ON vrm.lockout_policy, vrm_private.lockout_secret, vrm_private.lockout, vrm_private.lockout_requests,
    vrm_private.lockout_sessions, vrm_private.lockout_used
    FROM PUBLIC, anon, authenticated, service_role;
GRANT SELECT ON vrm.lockout_policy TO service_role;
ALTER TABLE vrm.lockout_policy ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm_private.lockout_secret ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm.account_standing FROM PUBLIC, anon, authenticated, service_role;
GRANT SELECT ON vrm.account_standing TO authenticated, service_role;
