-- Keys: the keyring, subjects' keys, destroying and shredding: row security, privileges, triggers

REVOKE ALL ON vrm_private.keyring FROM PUBLIC, anon, authenticated, service_role;

CREATE TRIGGER announce_change AFTER INSERT OR UPDATE OR DELETE ON vrm_private.keyring
    FOR EACH ROW EXECUTE FUNCTION vrm.announce_change();
ALTER TABLE vrm_private.keyring ENABLE ALWAYS TRIGGER announce_change;  -- for what a subscription brings, too
COMMENT ON TRIGGER announce_change ON vrm_private.keyring IS 'backends read the keyring again';
REVOKE ALL ON vrm_private.subject_keys FROM PUBLIC, anon, authenticated, service_role;

CREATE TRIGGER announce_change AFTER UPDATE OR DELETE ON vrm_private.subject_keys
    FOR EACH ROW EXECUTE FUNCTION vrm.announce_change();
ALTER TABLE vrm_private.subject_keys ENABLE ALWAYS TRIGGER announce_change;  -- for what a subscription brings, too
COMMENT ON TRIGGER announce_change ON vrm_private.subject_keys IS
    'backends forget the keys that they derived';
