-- Facts of calls and statistics made of them in advance: types and tables

-- One narrow row for each call that has ended, which outlives the call's own row; statistics of each
-- agent and each user by month, by day and by the quarter of an hour; and what these are behind in.  Readers
-- take what is marked from the facts and all else from the statistics, in one snapshot, and so are never
-- behind.
CREATE TABLE IF NOT EXISTS vrm.call_facts (
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    agent_id uuid,
    started_at timestamptz NOT NULL,
    status vrm.run_status NOT NULL,
    duration_ms bigint,
    sentiment text CONSTRAINT known_sentiment CHECK (sentiment IN ('positive', 'neutral', 'negative')),
    actions integer,
    customer bigint,
    bad boolean NOT NULL DEFAULT false,
    outcome text,
    outcome_kind text CONSTRAINT known_kind CHECK (outcome_kind IN ('contained', 'transferred', 'other')),
    cost_micros bigint,
    currency text,
    agent_ms integer,
    customer_ms integer,
    interruptions integer,
    answers bytea CONSTRAINT answers_length CHECK (length(answers) <= 1800),
    tool_calls integer,
    tool_failures integer,
    PRIMARY KEY (user_id, id)
);
ALTER TABLE vrm.call_facts ALTER COLUMN answers SET STORAGE PLAIN;
CREATE INDEX IF NOT EXISTS call_facts_user_time ON vrm.call_facts (user_id, started_at)
    INCLUDE (agent_id, status, duration_ms, sentiment, actions, customer, bad, outcome_kind, cost_micros, currency,
             agent_ms, customer_ms, interruptions, answers, tool_calls, tool_failures);
CREATE INDEX IF NOT EXISTS call_facts_customer ON vrm.call_facts (user_id, customer) WHERE customer IS NOT NULL;
COMMENT ON TABLE vrm.call_facts IS
    'what statistics need of a call that has ended; written by a trigger of vrm.test_runs';
COMMENT ON INDEX vrm.call_facts_user_time IS 'a user''s facts by time, with all that statistics read';
COMMENT ON INDEX vrm.call_facts_customer IS 'calls of a customer';
COMMENT ON COLUMN vrm.call_facts.user_id IS 'owner';
COMMENT ON COLUMN vrm.call_facts.id IS 'the call, which may be in the archive or gone';
COMMENT ON COLUMN vrm.call_facts.agent_id IS 'agent that took or made it';
COMMENT ON COLUMN vrm.call_facts.started_at IS 'when it began';
COMMENT ON COLUMN vrm.call_facts.status IS 'completed, failed or cancelled';
COMMENT ON COLUMN vrm.call_facts.duration_ms IS 'how long it took: what its results say, else by the clock';
COMMENT ON COLUMN vrm.call_facts.sentiment IS 'positive, neutral or negative';
COMMENT ON COLUMN vrm.call_facts.actions IS 'how many actions its results say there were';
COMMENT ON COLUMN vrm.call_facts.customer IS 'vrm.customer_hash() of the customer';
COMMENT ON COLUMN vrm.call_facts.bad IS 'whether something in its results cannot be read';
COMMENT ON COLUMN vrm.call_facts.outcome IS 'what became of it';
COMMENT ON COLUMN vrm.call_facts.outcome_kind IS 'vrm.call_outcomes.kind of that, as it was then';
COMMENT ON COLUMN vrm.call_facts.cost_micros IS 'what it cost, in millionths of the currency';
COMMENT ON COLUMN vrm.call_facts.currency IS 'ISO 4217 code of the currency';
COMMENT ON COLUMN vrm.call_facts.agent_ms IS 'how long the agent spoke; null without a transcript in ms';
COMMENT ON COLUMN vrm.call_facts.customer_ms IS 'how long the customer spoke; null without a transcript in ms';
COMMENT ON COLUMN vrm.call_facts.interruptions IS 'turns that were interrupted';
COMMENT ON COLUMN vrm.call_facts.answers IS
    'answering times in ms: ascending, as distances in LEB128, in 1800 bytes at most';
COMMENT ON COLUMN vrm.call_facts.tool_calls IS 'how many actions there were';
COMMENT ON COLUMN vrm.call_facts.tool_failures IS 'how many of them failed';

-- A mark without a quarter is of a whole day.
CREATE TABLE IF NOT EXISTS vrm.call_dirty (
    user_id uuid NOT NULL,
    id uuid NOT NULL,
    day date NOT NULL,
    quarter integer NOT NULL DEFAULT -1 CONSTRAINT known_quarter CHECK (quarter BETWEEN -2 AND 95),
    PRIMARY KEY (user_id, day, quarter, id)
);
ALTER TABLE vrm.call_dirty ALTER COLUMN id SET DEFAULT vrm.uuid7();
COMMENT ON TABLE vrm.call_dirty IS
    'days and quarters whose facts have changed since vrm.call_rollup was made of them, once for each change';
COMMENT ON COLUMN vrm.call_dirty.user_id IS 'owner';
COMMENT ON COLUMN vrm.call_dirty.id IS 'the change';
COMMENT ON COLUMN vrm.call_dirty.day IS 'day in UTC';
COMMENT ON COLUMN vrm.call_dirty.quarter IS
    'quarter of an hour of the day, from 0; -1 for all; -2 when all is right and the quarters are yet to be made';

-- The grain is text because comparing enums is not leakproof, and so could use no index under policies.
-- What fits into a page stays in it: fetching a state from elsewhere takes as long as merging it.
CREATE TABLE IF NOT EXISTS vrm.call_rollup (
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    grain text NOT NULL CONSTRAINT known_grain CHECK (grain IN ('parts', 'day', 'month', 'user_parts', 'user_day',
                                                                'user_month')),
    bucket date NOT NULL,
    agent_id uuid NOT NULL,
    stats bytea NOT NULL,
    PRIMARY KEY (user_id, grain, bucket, agent_id)
) WITH (toast_tuple_target = 8160);
ALTER TABLE vrm.call_rollup ALTER COLUMN stats SET STORAGE EXTERNAL;
COMMENT ON TABLE vrm.call_rollup IS
    'statistics of each agent and each user by month, day and quarter of an hour, made by vrm.maintain()';
COMMENT ON COLUMN vrm.call_rollup.user_id IS 'owner';
COMMENT ON COLUMN vrm.call_rollup.grain IS
    'month, day, or the quarters of an hour of a day, of an agent; with user_ before it, of all agents';
COMMENT ON COLUMN vrm.call_rollup.bucket IS 'first day of it, in UTC';
COMMENT ON COLUMN vrm.call_rollup.agent_id IS 'the agent; all zeros for calls of none and for all agents';
COMMENT ON COLUMN vrm.call_rollup.stats IS
    'a value of type vrm.call_stats: stats::vrm.call_stats; of quarters of an hour, for vrm.part_of_day()';
