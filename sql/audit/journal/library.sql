-- The audit journal: events that no ROLLBACK takes back: members of the extension

CREATE FUNCTION vrm.audit_journal(action text, detail jsonb) RETURNS void
    AS 'MODULE_PATHNAME', 'vrm_audit_journal'
    LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION vrm.audit_journal(text, jsonb) IS
    'writes a security event that ROLLBACK does not take back; vrm.audit_drain() moves it to the audit trail';
GRANT EXECUTE ON FUNCTION vrm.audit_journal(text, jsonb) TO service_role;
