
-- Sealed values ----------------------------------------------------------------------------------

CREATE FUNCTION vrm.is_sealed(value bytea) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_is_sealed';
COMMENT ON FUNCTION vrm.is_sealed(bytea) IS
    'whether the value has the structure of a sealed value; reads its first bytes only';
-- Domain vrm.sealed checks this as the role that writes.
GRANT EXECUTE ON FUNCTION vrm.is_sealed(bytea) TO anon, authenticated, service_role;

CREATE FUNCTION vrm.key_of(value bytea) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_key_of';
COMMENT ON FUNCTION vrm.key_of(bytea) IS
    'id of the key that the value was sealed with, null when it is not sealed; reads its first bytes only';
GRANT EXECUTE ON FUNCTION vrm.key_of(bytea) TO anon, authenticated, service_role;
