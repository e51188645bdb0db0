-- Archived calls, compressed: members of the extension

CREATE FUNCTION vrm.unpack_results(packed bytea) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'vrm_unpack_results'
    LANGUAGE C STABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION vrm.unpack_results(bytea) IS
    'results of an archived call as they were before vrm.compress_archive(); an error when they are damaged';
GRANT EXECUTE ON FUNCTION vrm.unpack_results(bytea) TO authenticated, service_role;

CREATE FUNCTION vrm.packed_digest(packed bytea) RETURNS bytea
    AS 'MODULE_PATHNAME', 'vrm_packed_digest'
    LANGUAGE C STABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION vrm.packed_digest(bytea) IS
    'vrm.document_digest() of packed results; null when they are damaged';
GRANT EXECUTE ON FUNCTION vrm.packed_digest(bytea) TO service_role;

CREATE FUNCTION vrm.pack_archive(
    archive regclass, target regclass, dictionary integer, OUT row_count bigint, OUT packed_rows bigint
)
    AS 'MODULE_PATHNAME', 'vrm_pack_archive'
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION vrm.pack_archive(regclass, regclass, integer) IS
    'copies archived calls to a table that this transaction has made, their results packed';

CREATE FUNCTION vrm.phrases_of_tenants(
    tenants_at_least integer, calls_of_each integer, OUT content bytea, OUT tenants integer, OUT messages bigint
)
    AS 'MODULE_PATHNAME', 'vrm_phrases_of_tenants'
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION vrm.phrases_of_tenants(integer, integer) IS
    'what is said in calls of at least so many users, followed by the built-in dictionary: a dictionary to pack with';
