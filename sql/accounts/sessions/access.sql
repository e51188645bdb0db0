-- Sessions and the tokens they issue: row security, privileges, triggers

REVOKE ALL ON vrm_private.token_keys, vrm_private.sessions, vrm_private.refresh_tokens, vrm_private.devices
    FROM PUBLIC, anon, authenticated, service_role;
ALTER TABLE vrm_private.token_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm_private.sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm_private.refresh_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm_private.devices ENABLE ROW LEVEL SECURITY;
CREATE TRIGGER announce_change AFTER UPDATE OF revoked_at, aal OR DELETE ON vrm_private.sessions
    FOR EACH ROW EXECUTE FUNCTION vrm.announce_change();
ALTER TABLE vrm_private.sessions ENABLE ALWAYS TRIGGER announce_change;  -- for what a subscription brings, too
COMMENT ON TRIGGER announce_change ON vrm_private.sessions IS 'makes backends forget the sessions they have read';
