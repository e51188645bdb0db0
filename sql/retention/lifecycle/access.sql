-- How accounts end: deleted, recovered, erased: row security, privileges, triggers

ALTER TABLE vrm_private.deleted_accounts ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm_private.erasure_ledger ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm_private.deleted_accounts, vrm_private.erasure_ledger FROM PUBLIC, anon, authenticated;
