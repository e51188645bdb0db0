-- Audit --------------------------------------------------------------------------------------------

CREATE FUNCTION vrm.audit_row() RETURNS trigger
    AS 'MODULE_PATHNAME', 'vrm_audit_row'
    LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION vrm.audit_row() IS
    'AFTER trigger: writes the columns that have changed to vrm.audit_log; vrm.audit_enable() sets it';

CREATE FUNCTION vrm.audit_mac(message bytea) RETURNS bytea
    AS 'MODULE_PATHNAME', 'vrm_audit_mac'
    LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION vrm.audit_mac(bytea) IS 'keyed hash of a seal, under the secret of this database';
