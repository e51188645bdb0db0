-- The audit trail: who did what, by day: members of the extension

CREATE FUNCTION vrm.audit_row() RETURNS trigger
    AS 'MODULE_PATHNAME', 'vrm_audit_row'
    LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION vrm.audit_row() IS
    'AFTER trigger: writes the columns that have changed to vrm.audit_log; vrm.audit_enable() sets it';
