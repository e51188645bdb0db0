-- Seals of the audit trail: proof that nobody has changed it since: members of the extension

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
