-- Who is who at providers whose subjects are no UUIDs: row security, privileges, triggers

REVOKE ALL ON vrm_private.linked_identities FROM PUBLIC, anon, authenticated, service_role;
ALTER TABLE vrm_private.linked_identities ENABLE ROW LEVEL SECURITY;

CREATE TRIGGER announce_change AFTER INSERT OR UPDATE OR DELETE ON vrm_private.linked_identities
    FOR EACH ROW EXECUTE FUNCTION vrm.announce_change();
ALTER TABLE vrm_private.linked_identities ENABLE ALWAYS TRIGGER announce_change;  -- for what a subscription brings, too
COMMENT ON TRIGGER announce_change ON vrm_private.linked_identities IS
    'makes backends forget whom they have taken subjects for';
