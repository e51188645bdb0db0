-- Audit --------------------------------------------------------------------------------------------

CREATE FUNCTION vrm.audit_row() RETURNS trigger
    AS 'MODULE_PATHNAME', 'vrm_audit_row'
    LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION vrm.audit_row() IS
    'AFTER trigger: writes the columns that have changed to vrm.audit_log; vrm.audit_enable() sets it';

CREATE FUNCTION vrm.audit_journal(action text, detail jsonb) RETURNS void
    AS 'MODULE_PATHNAME', 'vrm_audit_journal'
    LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION vrm.audit_journal(text, jsonb) IS
    'writes a security event that ROLLBACK does not take back; vrm.audit_drain() moves it to the audit trail';
GRANT EXECUTE ON FUNCTION vrm.audit_journal(text, jsonb) TO service_role;

CREATE FUNCTION vrm.audit_leaf(entry record) RETURNS bytea
    AS 'MODULE_PATHNAME', 'vrm_audit_leaf'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.audit_leaf(record) IS
    'leaf of a Merkle tree (RFC 6962): SHA-256 of the columns of a row';

CREATE FUNCTION vrm.merkle_root(leaves bytea) RETURNS bytea
    AS 'MODULE_PATHNAME', 'vrm_merkle_root'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.merkle_root(bytea) IS
    'root of the Merkle tree (RFC 6962) over leaves of 32 bytes, one after the other';

CREATE FUNCTION vrm.audit_mac(message bytea) RETURNS bytea
    AS 'MODULE_PATHNAME', 'vrm_audit_mac'
    LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION vrm.audit_mac(bytea) IS 'keyed hash of a seal, under the secret of this database';
