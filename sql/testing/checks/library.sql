-- What a call with a test case is judged by, as far as its transcript can tell -------------------------

CREATE FUNCTION vrm.evaluator_metrics_error(evaluator_metrics jsonb) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_evaluator_metrics_error';
COMMENT ON FUNCTION vrm.evaluator_metrics_error(jsonb) IS
    'what is wrong with a document for test_cases.evaluator_metrics: JSON pointer and reason, or null';

CREATE FUNCTION vrm.failed_checks(evaluator_metrics jsonb, results jsonb) RETURNS jsonb
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_failed_checks';
COMMENT ON FUNCTION vrm.failed_checks(jsonb, jsonb) IS
    'checks that the results of a call fail: an array of {check, reason}; null when there are no checks';

CREATE FUNCTION vrm.answering_time(results jsonb, fraction double precision DEFAULT 0.95) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_answering_time';
COMMENT ON FUNCTION vrm.answering_time(jsonb, double precision) IS
    'milliseconds that so much of an agent''s answers in a call did not exceed; null where no times are known';

GRANT EXECUTE ON FUNCTION
    vrm.evaluator_metrics_error(jsonb), vrm.failed_checks(jsonb, jsonb), vrm.answering_time(jsonb, double precision)
    TO authenticated, service_role;
