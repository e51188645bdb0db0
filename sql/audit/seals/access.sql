-- Seals of the audit trail: proof that nobody has changed it since: row security, privileges, triggers

REVOKE ALL ON vrm_private.audit_seals FROM PUBLIC, anon, authenticated, service_role;

ALTER TABLE vrm_private.audit_seals ENABLE ROW LEVEL SECURITY;
