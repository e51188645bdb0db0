-- Calls ("test runs"): their life from queue to end: types and tables

-- text and not an enum: comparing text is LEAKPROOF, so an index on it is searched under RLS
CREATE DOMAIN vrm.run_status AS text
    CONSTRAINT known_status CHECK (VALUE IN ('queued', 'running', 'completed', 'failed', 'cancelled'));
COMMENT ON DOMAIN vrm.run_status IS
    'state of a call: queued, running, then completed, failed or cancelled for good';
COMMENT ON CONSTRAINT known_status ON DOMAIN vrm.run_status IS 'the five states of a call';

-- Rows and not an enum: every house has words of its own.
CREATE TABLE IF NOT EXISTS vrm.call_outcomes (
    name text PRIMARY KEY CONSTRAINT name_length CHECK (length(name) BETWEEN 1 AND 200),
    kind text NOT NULL CONSTRAINT known_kind CHECK (kind IN ('contained', 'transferred', 'other')),
    description text
);
COMMENT ON TABLE vrm.call_outcomes IS 'what may become of a call: test_runs.outcome; the DBA adds words freely';
COMMENT ON COLUMN vrm.call_outcomes.name IS 'the word';
COMMENT ON COLUMN vrm.call_outcomes.kind IS
    'contained: the agent served the call to its end; transferred: somebody else took it over; other';
COMMENT ON COLUMN vrm.call_outcomes.description IS 'when a call has it';

CREATE TABLE IF NOT EXISTS vrm.speaker_roles (
    speaker text PRIMARY KEY CONSTRAINT speaker_form CHECK (speaker ~ '^[^A-Z -]{1,200}$'),
    role text NOT NULL CONSTRAINT known_role CHECK (role IN ('agent', 'customer', 'tool', 'system'))
);
COMMENT ON TABLE vrm.speaker_roles IS
    'which side of a call a speaker of a transcript is on; the DBA adds words freely, others are customers';
COMMENT ON CONSTRAINT speaker_form ON vrm.speaker_roles IS 'words are compared in lower case, with "_" between them';
COMMENT ON COLUMN vrm.speaker_roles.speaker IS 'what the speaker is called: assistant, end_user';
COMMENT ON COLUMN vrm.speaker_roles.role IS 'agent, customer, tool or system';

CREATE TABLE IF NOT EXISTS vrm.test_runs (
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    agent_id uuid,
    test_case_ids jsonb,
    time_limit integer NOT NULL DEFAULT 60 CONSTRAINT time_limit_range CHECK (time_limit BETWEEN 1 AND 86400),
    outbound_call_params jsonb
        CONSTRAINT outbound_call_params_is_object CHECK (jsonb_typeof(outbound_call_params) = 'object'),
    status vrm.run_status NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    completed_at timestamptz,
    results jsonb CONSTRAINT results_size CHECK (pg_column_size(results) <= 16777216),
    error text CONSTRAINT error_length CHECK (length(error) <= 20000),
    source text CONSTRAINT source_length CHECK (length(source) BETWEEN 1 AND 200),
    external_id text CONSTRAINT external_id_length CHECK (length(external_id) BETWEEN 1 AND 1000),
    direction vrm.call_direction,
    outcome text,
    ended_reason text CONSTRAINT ended_reason_length CHECK (length(ended_reason) BETWEEN 1 AND 1000),
    cost numeric(18, 6) CONSTRAINT cost_range CHECK (cost >= 0 AND cost <> 'NaN'),
    currency text CONSTRAINT currency_form CHECK (currency ~ '^[A-Z]{3}$'),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, agent_id) REFERENCES vrm.agents (user_id, id),
    CONSTRAINT final_when_completed
        CHECK ((status IN ('completed', 'failed', 'cancelled')) = (completed_at IS NOT NULL)),
    CONSTRAINT completed_after_start CHECK (completed_at >= started_at)
) WITH (fillfactor = 85, toast_tuple_target = 512);
ALTER TABLE vrm.test_runs ALTER COLUMN user_id SET DEFAULT vrm.uid();
ALTER TABLE vrm.test_runs ALTER COLUMN id SET DEFAULT vrm.uuid7();
ALTER TABLE vrm.test_runs ADD CONSTRAINT test_runs_outcome_fkey
    FOREIGN KEY (outcome) REFERENCES vrm.call_outcomes (name) ON UPDATE CASCADE;
CREATE INDEX IF NOT EXISTS test_runs_user_time ON vrm.test_runs (user_id, started_at);
CREATE INDEX IF NOT EXISTS test_runs_agent ON vrm.test_runs (user_id, agent_id, id);
CREATE UNIQUE INDEX IF NOT EXISTS test_runs_external_id ON vrm.test_runs (user_id, source, external_id)
    NULLS NOT DISTINCT WHERE external_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS test_runs_started_at ON vrm.test_runs USING brin (started_at);

-- reads are about twice as fast as with pglz, where the server was built with it; nothing that a DBA has chosen changes
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals))
        AND EXISTS (SELECT FROM pg_attribute
                    WHERE attrelid = 'vrm.test_runs'::regclass AND attname = 'results' AND attcompression = '') THEN
        ALTER TABLE vrm.test_runs ALTER COLUMN results SET COMPRESSION lz4;
    END IF;
END
$$;

COMMENT ON TABLE vrm.test_runs IS 'calls of agents: one row per call';
COMMENT ON INDEX vrm.test_runs_user_time IS 'a user''s calls by time';
COMMENT ON INDEX vrm.test_runs_agent IS 'calls of one agent, in order';
COMMENT ON INDEX vrm.test_runs_external_id IS 'one call of a user for each call of a source';
COMMENT ON INDEX vrm.test_runs_started_at IS 'calls of all users by age: operators';
COMMENT ON COLUMN vrm.test_runs.user_id IS 'owner';
COMMENT ON COLUMN vrm.test_runs.id IS 'the call';
COMMENT ON COLUMN vrm.test_runs.agent_id IS 'agent that took or made it: vrm.agents.id';
COMMENT ON COLUMN vrm.test_runs.test_case_ids IS 'array of ids of test cases; vrm.test_run_cases holds them as rows';
COMMENT ON COLUMN vrm.test_runs.time_limit IS 'seconds that the call may run';
COMMENT ON COLUMN vrm.test_runs.outbound_call_params IS 'whom to call and how: an object';
COMMENT ON COLUMN vrm.test_runs.status IS 'queued, running, completed, failed or cancelled';
COMMENT ON COLUMN vrm.test_runs.started_at IS 'when it was queued, then when it began to run';
COMMENT ON COLUMN vrm.test_runs.completed_at IS 'when it ended; null as long as it has not';
COMMENT ON COLUMN vrm.test_runs.results IS 'transcript, actions, insights, in the shape of vrm.results_error()';
COMMENT ON COLUMN vrm.test_runs.error IS 'why it failed';
COMMENT ON COLUMN vrm.test_runs.source IS 'platform that had the call: vapi, retell; null for one that was made here';
COMMENT ON COLUMN vrm.test_runs.external_id IS 'its id there';
COMMENT ON COLUMN vrm.test_runs.direction IS 'who called whom, seen from the agent';
COMMENT ON COLUMN vrm.test_runs.outcome IS 'what became of it: vrm.call_outcomes';
COMMENT ON COLUMN vrm.test_runs.ended_reason IS 'why it ended, in the words of its source';
COMMENT ON COLUMN vrm.test_runs.cost IS 'what it cost, in whole units of the currency';
COMMENT ON COLUMN vrm.test_runs.currency IS 'ISO 4217 code of the currency that the cost is in';
COMMENT ON CONSTRAINT final_when_completed ON vrm.test_runs IS 'a final state has an end, and only that';

-- What changes when a call ends is in no index of vrm.test_runs, so that its row is updated in place
-- (HOT).  Which calls have not ended is told here: a row from the start of a call to its end.
CREATE TABLE IF NOT EXISTS vrm.live_runs (
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    run_id uuid NOT NULL,
    PRIMARY KEY (user_id, run_id)
);
COMMENT ON TABLE vrm.live_runs IS 'calls that are queued or running; written by a trigger of vrm.test_runs';
COMMENT ON COLUMN vrm.live_runs.user_id IS 'owner';
COMMENT ON COLUMN vrm.live_runs.run_id IS 'the call';

CREATE TABLE IF NOT EXISTS vrm.test_run_cases (
    user_id uuid NOT NULL,
    run_id uuid NOT NULL,
    position integer NOT NULL,
    case_user_id uuid NOT NULL,
    case_id uuid NOT NULL,
    PRIMARY KEY (user_id, run_id, position),
    FOREIGN KEY (user_id, run_id) REFERENCES vrm.test_runs (user_id, id) ON DELETE CASCADE,
    FOREIGN KEY (case_user_id, case_id) REFERENCES vrm.test_cases (user_id, id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS test_run_cases_case ON vrm.test_run_cases (case_user_id, case_id);
COMMENT ON TABLE vrm.test_run_cases IS 'test cases of a call: test_runs.test_case_ids as rows';
COMMENT ON INDEX vrm.test_run_cases_case IS 'calls that used a case';
COMMENT ON COLUMN vrm.test_run_cases.user_id IS 'owner of the call';
COMMENT ON COLUMN vrm.test_run_cases.run_id IS 'the call';
COMMENT ON COLUMN vrm.test_run_cases.position IS 'place in test_case_ids, from 1';
COMMENT ON COLUMN vrm.test_run_cases.case_user_id IS 'owner of the case: somebody else when it is shared';
COMMENT ON COLUMN vrm.test_run_cases.case_id IS 'the case';

CREATE TABLE IF NOT EXISTS vrm.transcript_turns (
    user_id uuid NOT NULL,
    run_id uuid NOT NULL,
    id uuid NOT NULL,
    speaker text NOT NULL CONSTRAINT speaker_length CHECK (length(speaker) BETWEEN 1 AND 200),
    message text CONSTRAINT message_length CHECK (length(message) <= 100000),
    at interval NOT NULL CONSTRAINT at_not_negative CHECK (at >= '0'),
    end_ms integer,
    role text CONSTRAINT known_role CHECK (role IN ('agent', 'customer', 'tool', 'system')),
    interrupted boolean NOT NULL DEFAULT false,
    latency jsonb,
    PRIMARY KEY (user_id, run_id, id),
    FOREIGN KEY (user_id, run_id) REFERENCES vrm.test_runs (user_id, id) ON DELETE CASCADE
);
ALTER TABLE vrm.transcript_turns ALTER COLUMN id SET DEFAULT vrm.uuid7();
COMMENT ON TABLE vrm.transcript_turns IS
    'what was said in calls that are still running; folded into test_runs.results at their end';
COMMENT ON COLUMN vrm.transcript_turns.user_id IS 'owner of the call';
COMMENT ON COLUMN vrm.transcript_turns.run_id IS 'the call';
COMMENT ON COLUMN vrm.transcript_turns.id IS 'the turn; ids sort in the order of arrival';
COMMENT ON COLUMN vrm.transcript_turns.speaker IS 'who spoke';
COMMENT ON COLUMN vrm.transcript_turns.message IS 'what was said; null when nothing was before the interruption';
COMMENT ON COLUMN vrm.transcript_turns.at IS 'when the speaker began, since the start of the call';
COMMENT ON COLUMN vrm.transcript_turns.end_ms IS 'when the speaker ended, in ms since the start of the call';
COMMENT ON COLUMN vrm.transcript_turns.role IS 'agent, customer, tool or system; null in calls begun before 1.1';
COMMENT ON COLUMN vrm.transcript_turns.interrupted IS 'whether the speaker was interrupted';
COMMENT ON COLUMN vrm.transcript_turns.latency IS 'what the answer took, in ms by part: transcriber, model, voice';

CREATE TABLE IF NOT EXISTS vrm.run_actions (
    user_id uuid NOT NULL,
    run_id uuid NOT NULL,
    id uuid NOT NULL,
    action text NOT NULL CONSTRAINT action_length CHECK (length(action) BETWEEN 1 AND 2000),
    status text NOT NULL CONSTRAINT status_length CHECK (length(status) BETWEEN 1 AND 200),
    at interval NOT NULL CONSTRAINT at_not_negative CHECK (at >= '0'),
    arguments jsonb,
    result jsonb,
    ok boolean,
    took integer CONSTRAINT took_not_negative CHECK (took >= 0),
    PRIMARY KEY (user_id, run_id, id),
    FOREIGN KEY (user_id, run_id) REFERENCES vrm.test_runs (user_id, id) ON DELETE CASCADE
);
ALTER TABLE vrm.run_actions ALTER COLUMN id SET DEFAULT vrm.uuid7();
COMMENT ON TABLE vrm.run_actions IS
    'what agents did in calls that are still running; folded into test_runs.results at their end';
COMMENT ON COLUMN vrm.run_actions.user_id IS 'owner of the call';
COMMENT ON COLUMN vrm.run_actions.run_id IS 'the call';
COMMENT ON COLUMN vrm.run_actions.id IS 'the action; ids sort in the order of arrival';
COMMENT ON COLUMN vrm.run_actions.action IS 'what was done';
COMMENT ON COLUMN vrm.run_actions.status IS 'how it went: success, failure, ...';
COMMENT ON COLUMN vrm.run_actions.at IS 'time since the start of the call';
COMMENT ON COLUMN vrm.run_actions.arguments IS 'what a tool was called with';
COMMENT ON COLUMN vrm.run_actions.result IS 'what it gave back';
COMMENT ON COLUMN vrm.run_actions.ok IS 'whether it did what it was called for; null when nobody says';
COMMENT ON COLUMN vrm.run_actions.took IS 'how long it took, in ms';

-- No foreign key to the call: the events of an archived call stay.  The key is the order that followers can
-- rely on.
CREATE TABLE IF NOT EXISTS vrm.run_events (
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    run_id uuid NOT NULL,
    status vrm.run_status NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (user_id, xid, id)
);
-- What is told of a deleted row is told to every subscriber, so it must not be whose the row was.
CREATE UNIQUE INDEX IF NOT EXISTS run_events_id ON vrm.run_events (id);
COMMENT ON INDEX vrm.run_events_id IS 'events by their id, and as replication names them that are gone';
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_class WHERE oid = 'vrm.run_events'::regclass AND relreplident = 'd') THEN
        ALTER TABLE vrm.run_events REPLICA IDENTITY USING INDEX run_events_id;
    END IF;
END
$$;
ALTER TABLE vrm.run_events ALTER COLUMN id SET DEFAULT vrm.uuid7();
COMMENT ON TABLE vrm.run_events IS
    'one row per change of a call''s state, append-only: real-time readers follow it, by cursor or replication';
COMMENT ON COLUMN vrm.run_events.user_id IS 'owner of the call';
COMMENT ON COLUMN vrm.run_events.id IS 'the event';
COMMENT ON COLUMN vrm.run_events.run_id IS 'the call';
COMMENT ON COLUMN vrm.run_events.status IS 'state that it entered';
COMMENT ON COLUMN vrm.run_events.at IS 'when';
COMMENT ON COLUMN vrm.run_events.xid IS 'transaction that wrote it: whoever follows reads what no open one can precede';
