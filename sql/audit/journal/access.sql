-- The audit journal: events that no ROLLBACK takes back: row security, privileges, triggers

REVOKE ALL ON vrm_private.audit_journal, vrm_private.audit_journal_count FROM PUBLIC, anon, authenticated, service_role;

ALTER TABLE vrm_private.audit_journal ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm_private.audit_journal_count ENABLE ROW LEVEL SECURITY;
