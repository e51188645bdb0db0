-- Identity: who a statement runs for, and whose tokens are believed: row security, privileges, triggers

REVOKE ALL ON vrm_private.jwt_keys FROM PUBLIC, anon, authenticated, service_role;
ALTER TABLE vrm_private.jwt_keys ENABLE ROW LEVEL SECURITY;

CREATE TRIGGER announce_change AFTER INSERT OR UPDATE OR DELETE ON vrm_private.jwt_keys
    FOR EACH ROW EXECUTE FUNCTION vrm.announce_change();
ALTER TABLE vrm_private.jwt_keys ENABLE ALWAYS TRIGGER announce_change;  -- for what a subscription brings, too
COMMENT ON TRIGGER announce_change ON vrm_private.jwt_keys IS 'makes backends forget the keys they have read';
