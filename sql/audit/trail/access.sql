-- The audit trail: who did what, by day: row security, privileges, triggers

REVOKE ALL ON
    vrm.audit_log,
    vrm_private.audit_security,
    vrm_private.audit_data,
    vrm_private.audit_security_rest,
    vrm_private.audit_data_rest
    FROM PUBLIC, anon, authenticated, service_role;

ALTER TABLE vrm.audit_log ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON vrm.audit_log TO authenticated, service_role;
CREATE POLICY "administrators read the audit trail" ON vrm.audit_log
    FOR SELECT TO authenticated
    USING ((SELECT vrm_private.is_admin()));
COMMENT ON POLICY "administrators read the audit trail" ON vrm.audit_log IS 'administrators of the application only';
