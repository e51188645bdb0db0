-- Shapes of documents: members of the extension

CREATE FUNCTION vrm.connection_details_error(connection_details jsonb) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_connection_details_error';
COMMENT ON FUNCTION vrm.connection_details_error(jsonb) IS
    'what is wrong with a document for agents.connection_details: JSON pointer and reason, or null';
GRANT EXECUTE ON FUNCTION vrm.connection_details_error(jsonb)
    TO anon, authenticated, service_role;

CREATE FUNCTION vrm.valid_connection_details(connection_details jsonb) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_valid_connection_details';
COMMENT ON FUNCTION vrm.valid_connection_details(jsonb) IS
    'whether a document suits agents.connection_details; vrm.connection_details_error says why not';
GRANT EXECUTE ON FUNCTION vrm.valid_connection_details(jsonb)
    TO anon, authenticated, service_role;

CREATE FUNCTION vrm.results_error(results jsonb) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_results_error';
COMMENT ON FUNCTION vrm.results_error(jsonb) IS
    'what is wrong with a document for test_runs.results: JSON pointer and reason, or null';
GRANT EXECUTE ON FUNCTION vrm.results_error(jsonb)
    TO anon, authenticated, service_role;

CREATE FUNCTION vrm.valid_results(results jsonb) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_valid_results';
COMMENT ON FUNCTION vrm.valid_results(jsonb) IS
    'whether a document suits test_runs.results; vrm.results_error says why not';
GRANT EXECUTE ON FUNCTION vrm.valid_results(jsonb)
    TO anon, authenticated, service_role;
