-- Statistics of calls as a type: members of the extension

-- A value of vrm.call_stats holds the figures of any number of calls.  Values add up, so days make
-- months and agents make a company; the order in which they do changes no byte.
CREATE TYPE vrm.call_stats;

CREATE FUNCTION vrm.call_stats_in(text cstring) RETURNS vrm.call_stats
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_call_stats_in';
COMMENT ON FUNCTION vrm.call_stats_in(cstring) IS 'input of vrm.call_stats: hexadecimal digits after \x';
CREATE FUNCTION vrm.call_stats_out(stats vrm.call_stats) RETURNS cstring
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_call_stats_out';
COMMENT ON FUNCTION vrm.call_stats_out(vrm.call_stats) IS 'output of vrm.call_stats; stats::jsonb is for people';
CREATE FUNCTION vrm.call_stats_recv(message internal) RETURNS vrm.call_stats
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_call_stats_recv';
COMMENT ON FUNCTION vrm.call_stats_recv(internal) IS 'binary input of vrm.call_stats';
CREATE FUNCTION vrm.call_stats_send(stats vrm.call_stats) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_call_stats_send';
COMMENT ON FUNCTION vrm.call_stats_send(vrm.call_stats) IS 'binary output of vrm.call_stats';

-- not compressed: that gains little on what is packed already and doubles the time of a merge
CREATE TYPE vrm.call_stats (
    INPUT = vrm.call_stats_in,
    OUTPUT = vrm.call_stats_out,
    RECEIVE = vrm.call_stats_recv,
    SEND = vrm.call_stats_send,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = int4,
    STORAGE = external
);
COMMENT ON TYPE vrm.call_stats IS
    'figures of any number of calls: counts, durations, sentiments, distinct customers';

CREATE FUNCTION vrm.call_stats_equal(a vrm.call_stats, b vrm.call_stats) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_call_stats_equal';
COMMENT ON FUNCTION vrm.call_stats_equal(vrm.call_stats, vrm.call_stats) IS 'whether all figures are the same';
CREATE OPERATOR vrm.= (
    FUNCTION = vrm.call_stats_equal, LEFTARG = vrm.call_stats, RIGHTARG = vrm.call_stats,
    COMMUTATOR = OPERATOR(vrm.=)
);
COMMENT ON OPERATOR vrm.= (vrm.call_stats, vrm.call_stats) IS 'equal: the same figures';

CREATE FUNCTION vrm.call_stats_json(stats vrm.call_stats) RETURNS jsonb
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_call_stats_json';
COMMENT ON FUNCTION vrm.call_stats_json(vrm.call_stats) IS
    'all figures as JSON, durations in seconds; the same as stats::jsonb';
CREATE CAST (vrm.call_stats AS jsonb) WITH FUNCTION vrm.call_stats_json(vrm.call_stats);
COMMENT ON CAST (vrm.call_stats AS jsonb) IS 'all figures, durations in seconds';

CREATE FUNCTION vrm.add_run(
    stats vrm.call_stats, status text, started_at timestamptz, completed_at timestamptz, results jsonb
) RETURNS vrm.call_stats
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_add_run';
COMMENT ON FUNCTION vrm.add_run(vrm.call_stats, text, timestamptz, timestamptz, jsonb) IS
    'adds a row of vrm.test_runs to statistics';

CREATE FUNCTION vrm.add_call(
    stats vrm.call_stats, status text, duration_ms bigint, sentiment text, actions integer, customer bigint
) RETURNS vrm.call_stats
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_add_call';
COMMENT ON FUNCTION vrm.add_call(vrm.call_stats, text, bigint, text, integer, bigint) IS
    'adds a call to statistics';

CREATE FUNCTION vrm.add_fact(
    stats vrm.call_stats, status text, duration_ms bigint, sentiment text, actions integer, customer bigint, bad boolean
) RETURNS vrm.call_stats
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_add_fact';
COMMENT ON FUNCTION vrm.add_fact(vrm.call_stats, text, bigint, text, integer, bigint, boolean) IS
    'adds a row of vrm.call_facts to statistics';

CREATE FUNCTION vrm.add_fact(
    stats vrm.call_stats, status text, duration_ms bigint, sentiment text, actions integer, customer bigint,
    bad boolean, agent_ms integer, customer_ms integer, interruptions integer, answers bytea, tool_calls integer,
    tool_failures integer, outcome_kind text, cost_micros bigint, currency text
) RETURNS vrm.call_stats
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_add_conversation_fact';
COMMENT ON FUNCTION vrm.add_fact(
    vrm.call_stats, text, bigint, text, integer, bigint, boolean, integer, integer, integer, bytea, integer, integer,
    text, bigint, text) IS
    'adds a row of vrm.call_facts with what was said in the call to statistics';

CREATE FUNCTION vrm.add_duration(stats vrm.call_stats, seconds double precision) RETURNS vrm.call_stats
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_add_duration';
COMMENT ON FUNCTION vrm.add_duration(vrm.call_stats, double precision) IS
    'adds a call to statistics, of which only the duration is known';

CREATE FUNCTION vrm.merge_stats(stats vrm.call_stats, other vrm.call_stats) RETURNS vrm.call_stats
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_merge_stats';
COMMENT ON FUNCTION vrm.merge_stats(vrm.call_stats, vrm.call_stats) IS
    'statistics of the calls of both; null counts for nothing';

CREATE FUNCTION vrm.finish_stats(stats vrm.call_stats) RETURNS vrm.call_stats
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_finish_stats';
COMMENT ON FUNCTION vrm.finish_stats(vrm.call_stats) IS
    'the result of an aggregate as it is, for the next function to read without unpacking it';

CREATE AGGREGATE vrm.call_stats(status text, started_at timestamptz, completed_at timestamptz, results jsonb) (
    SFUNC = vrm.add_run, STYPE = vrm.call_stats, SSPACE = 4096, COMBINEFUNC = vrm.merge_stats, PARALLEL = SAFE,
    INITCOND = '\x0100000000000000000000000000000000'
);
COMMENT ON AGGREGATE vrm.call_stats(text, timestamptz, timestamptz, jsonb) IS
    'statistics of rows of vrm.test_runs; documents that cannot be read are counted as bad';

CREATE AGGREGATE vrm.call_stats(status text, duration_ms bigint, sentiment text, actions integer, customer bigint) (
    SFUNC = vrm.add_call, STYPE = vrm.call_stats, SSPACE = 4096, COMBINEFUNC = vrm.merge_stats, PARALLEL = SAFE,
    INITCOND = '\x0100000000000000000000000000000000'
);
COMMENT ON AGGREGATE vrm.call_stats(text, bigint, text, integer, bigint) IS
    'statistics of calls whose figures are columns; customer is a number for each, see vrm.customer_hash()';

CREATE AGGREGATE vrm.call_stats(
    status text, duration_ms bigint, sentiment text, actions integer, customer bigint, bad boolean
) (
    SFUNC = vrm.add_fact, STYPE = vrm.call_stats, SSPACE = 4096, COMBINEFUNC = vrm.merge_stats, PARALLEL = SAFE,
    INITCOND = '\x0100000000000000000000000000000000'
);
COMMENT ON AGGREGATE vrm.call_stats(text, bigint, text, integer, bigint, boolean) IS
    'statistics of rows of vrm.call_facts';

CREATE AGGREGATE vrm.call_stats(
    status text, duration_ms bigint, sentiment text, actions integer, customer bigint, bad boolean,
    agent_ms integer, customer_ms integer, interruptions integer, answers bytea, tool_calls integer,
    tool_failures integer, outcome_kind text, cost_micros bigint, currency text
) (
    SFUNC = vrm.add_fact, STYPE = vrm.call_stats, SSPACE = 4096, COMBINEFUNC = vrm.merge_stats, PARALLEL = SAFE,
    INITCOND = '\x0100000000000000000000000000000000'
);
COMMENT ON AGGREGATE vrm.call_stats(
    text, bigint, text, integer, bigint, boolean, integer, integer, integer, bytea, integer, integer, text, bigint,
    text) IS
    'statistics of rows of vrm.call_facts with what was said in the calls and what they came to';

CREATE AGGREGATE vrm.duration_sketch(seconds double precision) (
    SFUNC = vrm.add_duration, STYPE = vrm.call_stats, SSPACE = 4096, COMBINEFUNC = vrm.merge_stats, PARALLEL = SAFE,
    INITCOND = '\x0100000000000000000000000000000000'
);
COMMENT ON AGGREGATE vrm.duration_sketch(double precision) IS
    'statistics of durations alone, in seconds; negative, infinite and absurd ones are counted as bad';

CREATE AGGREGATE vrm.rollup(stats vrm.call_stats) (
    SFUNC = vrm.merge_stats, STYPE = vrm.call_stats, SSPACE = 4096, FINALFUNC = vrm.finish_stats,
    COMBINEFUNC = vrm.merge_stats, PARALLEL = SAFE,
    INITCOND = '\x0100000000000000000000000000000000'
);
COMMENT ON AGGREGATE vrm.rollup(vrm.call_stats) IS 'statistics of all the calls that the values hold';

CREATE FUNCTION vrm.call_count(stats vrm.call_stats) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_call_count';
COMMENT ON FUNCTION vrm.call_count(vrm.call_stats) IS 'how many calls';

CREATE FUNCTION vrm.success_rate(stats vrm.call_stats) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_success_rate';
COMMENT ON FUNCTION vrm.success_rate(vrm.call_stats) IS 'completed / (completed + failed); null without any of them';

CREATE FUNCTION vrm.distinct_customers(stats vrm.call_stats) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_distinct_customers';
COMMENT ON FUNCTION vrm.distinct_customers(vrm.call_stats) IS
    'how many different customers: exact up to 256, then within a few percent (standard error 1.6 %)';

CREATE FUNCTION vrm.duration_quantile(stats vrm.call_stats, fraction double precision) RETURNS interval
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_duration_quantile';
COMMENT ON FUNCTION vrm.duration_quantile(vrm.call_stats, double precision) IS
    'duration that this share of the completed calls does not exceed: percentile_disc() within 0.05 %';

CREATE FUNCTION vrm.duration_quantile(stats vrm.call_stats, fractions double precision[]) RETURNS interval[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT pg_catalog.array_agg(vrm.duration_quantile(stats, f.fraction) ORDER BY f.position)
    FROM pg_catalog.unnest(fractions) WITH ORDINALITY AS f (fraction, position)
$$;
COMMENT ON FUNCTION vrm.duration_quantile(vrm.call_stats, double precision[]) IS 'several quantiles at once';

CREATE FUNCTION vrm.duration_rank(stats vrm.call_stats, duration interval) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_duration_rank';
COMMENT ON FUNCTION vrm.duration_rank(vrm.call_stats, interval) IS
    'share of the completed calls that do not last longer than this';

CREATE FUNCTION vrm.summary(
    stats vrm.call_stats,
    OUT calls bigint, OUT queued bigint, OUT running bigint, OUT completed bigint, OUT failed bigint,
    OUT cancelled bigint,
    OUT success_rate double precision, OUT average_duration interval, OUT stddev_duration interval,
    OUT min_duration interval, OUT p50_duration interval, OUT p95_duration interval, OUT p99_duration interval,
    OUT max_duration interval, OUT positive bigint, OUT neutral bigint, OUT negative bigint,
    OUT actions bigint, OUT customers bigint, OUT bad bigint
)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_summary';
COMMENT ON FUNCTION vrm.summary(vrm.call_stats) IS
    'all figures as columns: SELECT (vrm.summary(stats)).*; durations are those of completed calls';

CREATE FUNCTION vrm.answer_time_quantile(stats vrm.call_stats, fraction double precision) RETURNS interval
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_answer_time_quantile';
COMMENT ON FUNCTION vrm.answer_time_quantile(vrm.call_stats, double precision) IS
    'time that this share of the agents'' answers does not exceed: percentile_disc() within 0.05 %';

CREATE FUNCTION vrm.conversation_summary(
    stats vrm.call_stats,
    OUT answers bigint, OUT p50_answer_time interval, OUT p95_answer_time interval,
    OUT interruptions double precision, OUT talk_share double precision, OUT transfer_rate double precision,
    OUT containment_rate double precision, OUT cost_micros bigint, OUT currency text,
    OUT tool_success_rate double precision
)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_conversation_summary';
COMMENT ON FUNCTION vrm.conversation_summary(vrm.call_stats) IS
    'what was said and what it came to as columns; interruptions are for each call with a transcript';

CREATE FUNCTION vrm.figures(
    stats vrm.call_stats,
    OUT calls bigint, OUT queued bigint, OUT running bigint, OUT completed bigint, OUT failed bigint,
    OUT cancelled bigint,
    OUT success_rate double precision, OUT average_duration interval, OUT stddev_duration interval,
    OUT min_duration interval, OUT p50_duration interval, OUT p95_duration interval, OUT p99_duration interval,
    OUT max_duration interval, OUT positive bigint, OUT neutral bigint, OUT negative bigint,
    OUT actions bigint, OUT customers bigint, OUT bad bigint,
    OUT answers bigint, OUT p50_answer_time interval, OUT p95_answer_time interval,
    OUT interruptions double precision, OUT talk_share double precision, OUT transfer_rate double precision,
    OUT containment_rate double precision, OUT cost_micros bigint, OUT currency text,
    OUT tool_success_rate double precision
)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_figures';
COMMENT ON FUNCTION vrm.figures(vrm.call_stats) IS
    'the columns of vrm.summary() and of vrm.conversation_summary(), of statistics that are unpacked once';

CREATE FUNCTION vrm.call_duration(results jsonb) RETURNS interval
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_call_duration';
COMMENT ON FUNCTION vrm.call_duration(jsonb) IS
    'member "duration" of results; null when it is not a duration; reads the head of the document only';

CREATE FUNCTION vrm.call_customer(results jsonb) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_call_customer';
COMMENT ON FUNCTION vrm.call_customer(jsonb) IS 'member "customer" of results; null when it is not a string';

CREATE FUNCTION vrm.call_sentiment(results jsonb) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_call_sentiment';
COMMENT ON FUNCTION vrm.call_sentiment(jsonb) IS 'member "sentiment" of results: positive, neutral, negative, or null';

CREATE FUNCTION vrm.call_actions(results jsonb) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_call_actions';
COMMENT ON FUNCTION vrm.call_actions(jsonb) IS 'member "actions" of results; null when it is not a count';

CREATE FUNCTION vrm.customer_hash(customer text) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_customer_hash';
COMMENT ON FUNCTION vrm.customer_hash(text) IS
    'a number for a customer, for vrm.call_stats(); the same on every platform';

CREATE FUNCTION vrm.transcript_stats(
    results jsonb,
    OUT turns integer, OUT agent_turns integer, OUT agent_words integer, OUT customer_words integer,
    OUT agent_talk_share double precision, OUT longest_gap interval, OUT action_success double precision
)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_transcript_stats';
COMMENT ON FUNCTION vrm.transcript_stats(jsonb) IS
    'who spoke how much; a speaker speaks until the turn''s end or, where that is not known, until the next one begins';

CREATE FUNCTION vrm.speech_stats(
    results jsonb,
    OUT agent_time interval, OUT customer_time interval, OUT interruptions integer, OUT answers integer,
    OUT p50_answer_time interval, OUT longest_answer_time interval, OUT tool_calls integer, OUT tool_failures integer
)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_speech_stats';
COMMENT ON FUNCTION vrm.speech_stats(jsonb) IS
    'how long each side spoke, how often they were interrupted, how long answers took, how tools did';

CREATE FUNCTION vrm.speaker_role(speaker text) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_speaker_role';
COMMENT ON FUNCTION vrm.speaker_role(text) IS
    'the side of a speaker that common platforms call so: agent, customer, tool, system; null for other words';

GRANT EXECUTE ON FUNCTION
    vrm.call_stats_json(vrm.call_stats), vrm.call_stats_equal(vrm.call_stats, vrm.call_stats),
    vrm.call_stats(text, timestamptz, timestamptz, jsonb), vrm.call_stats(text, bigint, text, integer, bigint),
    vrm.call_stats(text, bigint, text, integer, bigint, boolean),
    vrm.call_stats(text, bigint, text, integer, bigint, boolean, integer, integer, integer, bytea, integer, integer,
                   text, bigint, text),
    vrm.answer_time_quantile(vrm.call_stats, double precision), vrm.conversation_summary(vrm.call_stats),
    vrm.figures(vrm.call_stats),
    vrm.duration_sketch(double precision),
    vrm.rollup(vrm.call_stats), vrm.call_count(vrm.call_stats), vrm.success_rate(vrm.call_stats),
    vrm.distinct_customers(vrm.call_stats), vrm.duration_quantile(vrm.call_stats, double precision),
    vrm.duration_quantile(vrm.call_stats, double precision[]), vrm.duration_rank(vrm.call_stats, interval),
    vrm.summary(vrm.call_stats), vrm.call_duration(jsonb), vrm.call_customer(jsonb), vrm.call_sentiment(jsonb),
    vrm.call_actions(jsonb), vrm.customer_hash(text), vrm.transcript_stats(jsonb), vrm.speech_stats(jsonb),
    vrm.speaker_role(text)
    TO authenticated, service_role;
