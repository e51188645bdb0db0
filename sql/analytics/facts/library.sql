-- Facts of calls and statistics made of them in advance: members of the extension

-- Values of columns of type bytea in which the platform keeps statistics: a column of type
-- vrm.call_stats would go with DROP EXTENSION ... CASCADE.  Whatever reads a state checks its form.
CREATE CAST (bytea AS vrm.call_stats) WITHOUT FUNCTION;
COMMENT ON CAST (bytea AS vrm.call_stats) IS 'statistics as the platform stores them';
CREATE CAST (vrm.call_stats AS bytea) WITH FUNCTION vrm.call_stats_send(vrm.call_stats) AS ASSIGNMENT;
COMMENT ON CAST (vrm.call_stats AS bytea) IS 'statistics as the platform stores them';

CREATE FUNCTION vrm.record_facts() RETURNS trigger
    LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vrm_record_facts';
COMMENT ON FUNCTION vrm.record_facts() IS
    'AFTER trigger of vrm.test_runs: keeps vrm.call_facts in step and marks the day in vrm.call_dirty';

CREATE FUNCTION vrm.call_fact(
    status text, started_at timestamptz, completed_at timestamptz, results jsonb,
    OUT duration_ms bigint, OUT sentiment text, OUT actions integer, OUT customer bigint, OUT bad boolean
)
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_call_fact';
COMMENT ON FUNCTION vrm.call_fact(text, timestamptz, timestamptz, jsonb) IS
    'what vrm.call_facts holds of a call; bad: something in its results cannot be read';

CREATE FUNCTION vrm.speech_fact(
    results jsonb,
    OUT agent_ms integer, OUT customer_ms integer, OUT interruptions integer, OUT answers bytea, OUT tool_calls integer,
    OUT tool_failures integer
)
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_speech_fact';
COMMENT ON FUNCTION vrm.speech_fact(jsonb) IS
    'what vrm.call_facts holds of what was said in a call; answers are packed answering times, in ms';

CREATE FUNCTION vrm.answering_times(answers bytea) RETURNS bigint[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_answering_times';
COMMENT ON FUNCTION vrm.answering_times(bytea) IS
    'the answering times that vrm.call_facts.answers packs: ms, ascending';

CREATE FUNCTION vrm.utc_day(moment timestamptz) RETURNS date
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_utc_day';
COMMENT ON FUNCTION vrm.utc_day(timestamptz) IS 'the day in UTC, by which statistics are kept';

GRANT EXECUTE ON FUNCTION
    vrm.call_fact(text, timestamptz, timestamptz, jsonb), vrm.speech_fact(jsonb), vrm.utc_day(timestamptz),
    vrm.answering_times(bytea)
    TO authenticated, service_role;
