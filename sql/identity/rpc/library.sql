-- RPC: a function of the API in one statement, whoever calls: members of the extension

CREATE FUNCTION vrm.rpc_support(request internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'vrm_rpc_support'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.rpc_support(internal) IS
    'for the planner: loads the module before parameters of vrm.rpc() can be logged';

CREATE FUNCTION vrm.rpc(token text, function text, arguments jsonb DEFAULT '{}', key text DEFAULT NULL) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'vrm_rpc'
    LANGUAGE C VOLATILE PARALLEL UNSAFE SUPPORT vrm.rpc_support;
COMMENT ON FUNCTION vrm.rpc(text, text, jsonb, text) IS
    'calls a function of schema vrm as the bearer of a token, or as nobody: {"result": ...} or {"error": ...}';

CREATE FUNCTION vrm.rpc_batch(token text, calls jsonb) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'vrm_rpc_batch'
    LANGUAGE C VOLATILE PARALLEL UNSAFE SUPPORT vrm.rpc_support;
COMMENT ON FUNCTION vrm.rpc_batch(text, jsonb) IS
    'calls several functions as vrm.rpc() does, all of them or, when one fails, none';

GRANT EXECUTE ON FUNCTION vrm.rpc(text, text, jsonb, text), vrm.rpc_batch(text, jsonb)
    TO anon, authenticated, service_role;
