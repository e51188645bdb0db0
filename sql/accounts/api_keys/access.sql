-- Keys of users for external services: row security, privileges, triggers

ALTER TABLE vrm.api_keys ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm.api_keys FROM PUBLIC, anon, authenticated;

-- all but the sealed values, which only functions open
GRANT SELECT (user_id, id, service, key_hint, description, created_at, last_used_at),
      UPDATE (description)
    ON vrm.api_keys TO authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON vrm.api_keys TO service_role;

-- here as well, for what is noted of privileges after an upgrade
GRANT USAGE ON SCHEMA vrm TO vrm_use_api_keys;

CREATE POLICY "users manage their own API keys" ON vrm.api_keys
    FOR ALL TO authenticated
    USING (user_id = vrm.uid())
    WITH CHECK (user_id = vrm.uid());
COMMENT ON POLICY "users manage their own API keys" ON vrm.api_keys IS 'own rows only';

ALTER TABLE vrm.api_key_uses ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm.api_key_uses FROM PUBLIC, anon, authenticated;
GRANT SELECT ON vrm.api_key_uses TO authenticated, service_role;
CREATE POLICY "users read the uses of their API keys" ON vrm.api_key_uses
    FOR SELECT TO authenticated
    USING (user_id = vrm.uid());
COMMENT ON POLICY "users read the uses of their API keys" ON vrm.api_key_uses IS 'own rows only';
