-- Keys: the keyring, subjects' keys, destroying and shredding: views

CREATE OR REPLACE VIEW vrm.keyring_status WITH (security_invoker = true) AS
    SELECT * FROM vrm_private.keyring_status();
REVOKE ALL ON vrm.keyring_status FROM PUBLIC, anon, authenticated;
GRANT SELECT ON vrm.keyring_status TO service_role;
COMMENT ON VIEW vrm.keyring_status IS 'the keys of this database, and whether their master key is there';
COMMENT ON COLUMN vrm.keyring_status.key_id IS 'what vrm.key_of() of a value names';
COMMENT ON COLUMN vrm.keyring_status.purpose IS 'data: seals values; blind_index: keyed hashes';
COMMENT ON COLUMN vrm.keyring_status.state IS 'active: seals and opens; decrypt_only: opens; destroyed';
COMMENT ON COLUMN vrm.keyring_status.master_key_id IS 'the master key that wraps it';
COMMENT ON COLUMN vrm.keyring_status.usable IS 'the master key is there and right';
COMMENT ON COLUMN vrm.keyring_status.created_at IS 'when it was made or imported';
COMMENT ON COLUMN vrm.keyring_status.destroyed_at IS 'when it was destroyed';
