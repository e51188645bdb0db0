-- Keys: the keyring, subjects' keys, destroying and shredding: members of the extension

CREATE FUNCTION vrm.key_of(value bytea) RETURNS bigint
    AS 'MODULE_PATHNAME', 'vrm_key_of'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.key_of(bytea) IS
    'id of the key that the value was sealed with, null when it is not sealed; reads its first bytes only';
GRANT EXECUTE ON FUNCTION vrm.key_of(bytea) TO anon, authenticated, service_role;

-- For the owner of the database, until a DBA grants it.
CREATE FUNCTION vrm.key_create(purpose text) RETURNS bigint
    AS 'MODULE_PATHNAME', 'vrm_key_create'
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION vrm.key_create(text) IS
    'makes a random key the active one of a purpose, data or blind_index; returns its id';

CREATE FUNCTION vrm.key_import(purpose text, key vrm.secret) RETURNS bigint
    AS 'MODULE_PATHNAME', 'vrm_key_import'
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION vrm.key_import(text, vrm.secret) IS
    'adds a key from elsewhere, 32 bytes in base64, which only opens values; returns its id';

CREATE FUNCTION vrm.rewrap_keys() RETURNS integer
    AS 'MODULE_PATHNAME', 'vrm_rewrap_keys'
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION vrm.rewrap_keys() IS
    'wraps every key with the first of the master keys; returns how many changed';

CREATE FUNCTION vrm.key_usable(key_id bigint) RETURNS boolean
    AS 'MODULE_PATHNAME', 'vrm_key_usable'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.key_usable(bigint) IS
    'whether the master key that wraps this key is there and right';
GRANT EXECUTE ON FUNCTION vrm.key_usable(bigint) TO service_role;

CREATE FUNCTION vrm.key_lock(key_id bigint) RETURNS boolean
    AS 'MODULE_PATHNAME', 'vrm_key_lock'
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION vrm.key_lock(bigint) IS
    'keeps others from sealing with a key until this transaction ends; false when one that has done so is still open';
