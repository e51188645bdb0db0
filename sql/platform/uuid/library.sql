-- Ids: members of the extension

CREATE FUNCTION vrm.uuid7() RETURNS uuid
    AS 'MODULE_PATHNAME', 'vrm_uuid7'
    LANGUAGE C VOLATILE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION vrm.uuid7() IS
    'version 7 UUID (RFC 9562): sorts by the time of its making';
GRANT EXECUTE ON FUNCTION vrm.uuid7() TO anon, authenticated, service_role;

CREATE FUNCTION vrm.uuid7(at timestamptz) RETURNS uuid
    AS 'MODULE_PATHNAME', 'vrm_uuid7_at'
    LANGUAGE C VOLATILE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION vrm.uuid7(timestamptz) IS
    'version 7 UUID of another moment than now: what is brought in sorts where its time is';
GRANT EXECUTE ON FUNCTION vrm.uuid7(timestamptz) TO authenticated, service_role;
