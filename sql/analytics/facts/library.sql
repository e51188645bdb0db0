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

-- Statistics of the quarters of an hour of a day, packed: time zones are a number of quarters away from UTC.
CREATE FUNCTION vrm.add_part(
    parts bytea, started_at timestamptz, status text, duration_ms bigint, sentiment text, actions integer,
    customer bigint, bad boolean, agent_ms integer, customer_ms integer, interruptions integer, answers bytea,
    tool_calls integer, tool_failures integer, outcome_kind text, cost_micros bigint, currency text
) RETURNS bytea
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_add_part';
COMMENT ON FUNCTION vrm.add_part(
    bytea, timestamptz, text, bigint, text, integer, bigint, boolean, integer, integer, integer, bytea, integer,
    integer, text, bigint, text) IS
    'adds a row of vrm.call_facts to statistics by the quarter of an hour';

CREATE FUNCTION vrm.merge_parts(parts bytea, other bytea) RETURNS bytea
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_merge_parts';
COMMENT ON FUNCTION vrm.merge_parts(bytea, bytea) IS
    'statistics of the calls of both by the quarter of an hour; null counts for nothing';

CREATE AGGREGATE vrm.call_parts(
    started_at timestamptz, status text, duration_ms bigint, sentiment text, actions integer, customer bigint,
    bad boolean, agent_ms integer, customer_ms integer, interruptions integer, answers bytea, tool_calls integer,
    tool_failures integer, outcome_kind text, cost_micros bigint, currency text
) (
    SFUNC = vrm.add_part, STYPE = bytea, SSPACE = 65536, COMBINEFUNC = vrm.merge_parts, PARALLEL = SAFE,
    INITCOND = '\x010000'
);
COMMENT ON AGGREGATE vrm.call_parts(
    timestamptz, text, bigint, text, integer, bigint, boolean, integer, integer, integer, bytea, integer, integer,
    text, bigint, text) IS
    'statistics of rows of vrm.call_facts of one day by the quarter of an hour';

CREATE AGGREGATE vrm.rollup_parts(parts bytea) (
    SFUNC = vrm.merge_parts, STYPE = bytea, SSPACE = 65536, COMBINEFUNC = vrm.merge_parts, PARALLEL = SAFE,
    INITCOND = '\x010000'
);
COMMENT ON AGGREGATE vrm.rollup_parts(bytea) IS 'statistics of all the calls that the values hold, by the quarter';

CREATE FUNCTION vrm.replace_parts(before bytea, gone integer[], fresh bytea, spans boolean) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_replace_parts';
COMMENT ON FUNCTION vrm.replace_parts(bytea, integer[], bytea, boolean) IS
    'statistics by the quarter of which some are replaced by others; spans: and what hours of a full day add up to';

CREATE FUNCTION vrm.part_of_day(parts bytea, since integer, until integer) RETURNS vrm.call_stats
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_part_of_day';
COMMENT ON FUNCTION vrm.part_of_day(bytea, integer, integer) IS
    'what quarters of an hour of a day add up to, from one, included, to another, excluded; null without a call';

CREATE FUNCTION vrm.merge_piece(stats vrm.call_stats, piece bytea, since integer, until integer) RETURNS vrm.call_stats
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_merge_piece';
COMMENT ON FUNCTION vrm.merge_piece(vrm.call_stats, bytea, integer, integer) IS
    'adds statistics as they are stored: those of a day by the quarter of an hour with "since" and "until"';

CREATE AGGREGATE vrm.rollup_pieces(piece bytea, since integer, until integer) (
    SFUNC = vrm.merge_piece, STYPE = vrm.call_stats, SSPACE = 4096, FINALFUNC = vrm.finish_stats,
    COMBINEFUNC = vrm.merge_stats, PARALLEL = SAFE,
    INITCOND = '\x0100000000000000000000000000000000'
);
COMMENT ON AGGREGATE vrm.rollup_pieces(bytea, integer, integer) IS
    'statistics of what vrm.call_rollup stores: of all calls, or of quarters of a day from "since" to before "until"';

CREATE FUNCTION vrm.cover_time(
    edges timestamptz[], days date[], quarters integer[],
    OUT range_bucket integer[], OUT range_is_month boolean[], OUT range_first date[], OUT range_last date[],
    OUT part_bucket integer[], OUT part_day date[], OUT part_since integer[], OUT part_until integer[],
    OUT span_since timestamptz[], OUT span_until timestamptz[]
)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_cover_time';
COMMENT ON FUNCTION vrm.cover_time(timestamptz[], date[], integer[]) IS
    'the months, days, quarters of days and times that the buckets between edges consist of, for what has changed';

GRANT EXECUTE ON FUNCTION
    vrm.part_of_day(bytea, integer, integer), vrm.rollup_pieces(bytea, integer, integer),
    vrm.cover_time(timestamptz[], date[], integer[]), vrm.call_stats_send(vrm.call_stats)
    TO authenticated;
GRANT EXECUTE ON FUNCTION
    vrm.call_fact(text, timestamptz, timestamptz, jsonb), vrm.speech_fact(jsonb), vrm.utc_day(timestamptz),
    vrm.answering_times(bytea)
    TO authenticated, service_role;
