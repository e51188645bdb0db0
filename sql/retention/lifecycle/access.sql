-- How accounts end: deleted, recovered, erased: row security, privileges, triggers

ALTER TABLE vrm_private.deleted_accounts ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm_private.erasure_ledger ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm_private.recovery_requests ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm_private.deleted_accounts, vrm_private.erasure_ledger FROM PUBLIC, anon, authenticated;
REVOKE ALL ON vrm_private.recovery_requests FROM PUBLIC, anon, authenticated, service_role;

CREATE TRIGGER note_deletion BEFORE DELETE ON vrm.user_profiles
    FOR EACH ROW EXECUTE FUNCTION vrm_private.note_deletion();
COMMENT ON TRIGGER note_deletion ON vrm.user_profiles IS 'whoever goes is in the ledger';
CREATE TRIGGER note_truncation BEFORE TRUNCATE ON vrm.user_profiles
    FOR EACH STATEMENT EXECUTE FUNCTION vrm_private.note_truncation();
COMMENT ON TRIGGER note_truncation ON vrm.user_profiles IS 'also when all go at once';
CREATE TRIGGER keep_organisation AFTER DELETE ON vrm_private.team_members
    FOR EACH ROW EXECUTE FUNCTION vrm_private.keep_organisation();
COMMENT ON TRIGGER keep_organisation ON vrm_private.team_members IS 'an organisation has an admin';
