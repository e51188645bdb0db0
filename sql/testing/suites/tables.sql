-- Suites of test cases and their runs: types and tables

CREATE TABLE IF NOT EXISTS vrm.suites (
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    name text NOT NULL CONSTRAINT name_length CHECK (length(name) BETWEEN 1 AND 200),
    case_ids uuid[] NOT NULL CONSTRAINT case_count CHECK (cardinality(case_ids) BETWEEN 1 AND 1000),
    repeats integer NOT NULL DEFAULT 1 CONSTRAINT repeats_range CHECK (repeats BETWEEN 1 AND 1000),
    metrics jsonb,
    min_pass_rate double precision NOT NULL DEFAULT 1
        CONSTRAINT min_pass_rate_range CHECK (min_pass_rate BETWEEN 0 AND 1),
    min_pass_hat_k double precision CONSTRAINT min_pass_hat_k_range CHECK (min_pass_hat_k BETWEEN 0 AND 1),
    max_answering_time double precision
        CONSTRAINT max_answering_time_range CHECK (max_answering_time BETWEEN 1 AND 86400000),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, id),
    CONSTRAINT suites_name UNIQUE (user_id, name)
);
ALTER TABLE vrm.suites ALTER COLUMN user_id SET DEFAULT vrm.uid();
ALTER TABLE vrm.suites ALTER COLUMN id SET DEFAULT vrm.uuid7();
COMMENT ON TABLE vrm.suites IS 'test cases that are run together, and what is good enough';
COMMENT ON COLUMN vrm.suites.user_id IS 'owner';
COMMENT ON COLUMN vrm.suites.id IS 'the suite';
COMMENT ON COLUMN vrm.suites.name IS 'name to show';
COMMENT ON COLUMN vrm.suites.case_ids IS 'its cases, own and shared ones, in this order';
COMMENT ON COLUMN vrm.suites.repeats IS 'how often each case is run';
COMMENT ON COLUMN vrm.suites.metrics IS 'what all of its calls are judged by, as test_cases.evaluator_metrics say it';
COMMENT ON COLUMN vrm.suites.min_pass_rate IS 'part of the calls that has to pass';
COMMENT ON COLUMN vrm.suites.min_pass_hat_k IS 'what pass^k, with k the repeats, has to be at least';
COMMENT ON COLUMN vrm.suites.max_answering_time IS 'milliseconds that p95 of the answering time may be at most';
COMMENT ON COLUMN vrm.suites.created_at IS 'when it was made';
COMMENT ON COLUMN vrm.suites.updated_at IS 'when it was last changed';

CREATE TABLE IF NOT EXISTS vrm.suite_runs (
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    suite_id uuid,
    name text NOT NULL,
    agent_id uuid NOT NULL,
    agent_version integer NOT NULL,
    repeats integer NOT NULL,
    min_pass_rate double precision NOT NULL DEFAULT 1,
    min_pass_hat_k double precision,
    max_answering_time double precision,
    started_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, suite_id) REFERENCES vrm.suites (user_id, id) ON DELETE SET NULL (suite_id),
    FOREIGN KEY (user_id, agent_id) REFERENCES vrm.agents (user_id, id) ON DELETE CASCADE
);
ALTER TABLE vrm.suite_runs ALTER COLUMN id SET DEFAULT vrm.uuid7();
CREATE INDEX IF NOT EXISTS suite_runs_agent ON vrm.suite_runs (user_id, agent_id, agent_version);
CREATE INDEX IF NOT EXISTS suite_runs_suite ON vrm.suite_runs (user_id, suite_id);
COMMENT ON TABLE vrm.suite_runs IS 'suites that were run on a version of an agent, with the thresholds of that time';
COMMENT ON INDEX vrm.suite_runs_agent IS 'runs by agent and version: what comparisons look for';
COMMENT ON INDEX vrm.suite_runs_suite IS 'runs of a suite';
COMMENT ON COLUMN vrm.suite_runs.user_id IS 'owner';
COMMENT ON COLUMN vrm.suite_runs.id IS 'the run of a suite; ids sort by time';
COMMENT ON COLUMN vrm.suite_runs.suite_id IS 'the suite; null when it was a list of cases, or is gone';
COMMENT ON COLUMN vrm.suite_runs.name IS 'name of the suite at that time';
COMMENT ON COLUMN vrm.suite_runs.agent_id IS 'agent under test: vrm.agents.id';
COMMENT ON COLUMN vrm.suite_runs.agent_version IS 'its version: vrm.agent_versions';
COMMENT ON COLUMN vrm.suite_runs.repeats IS 'how often each case is run';
COMMENT ON COLUMN vrm.suite_runs.min_pass_rate IS 'part of the calls that has to pass';
COMMENT ON COLUMN vrm.suite_runs.min_pass_hat_k IS 'what pass^k has to be at least';
COMMENT ON COLUMN vrm.suite_runs.max_answering_time IS 'milliseconds that p95 of the answering time may be at most';
COMMENT ON COLUMN vrm.suite_runs.started_at IS 'when its calls were queued';

-- No foreign key to the case: a run goes on, and is compared, when its cases change or go.
CREATE TABLE IF NOT EXISTS vrm.suite_run_cases (
    user_id uuid NOT NULL,
    suite_run_id uuid NOT NULL,
    position integer NOT NULL,
    case_id uuid NOT NULL,
    name text NOT NULL,
    user_persona jsonb,
    scenario jsonb,
    metrics jsonb,
    PRIMARY KEY (user_id, suite_run_id, position),
    FOREIGN KEY (user_id, suite_run_id) REFERENCES vrm.suite_runs (user_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE vrm.suite_run_cases IS 'cases of a run of a suite, as they were when it began';
COMMENT ON COLUMN vrm.suite_run_cases.user_id IS 'owner of the run';
COMMENT ON COLUMN vrm.suite_run_cases.suite_run_id IS 'the run of a suite';
COMMENT ON COLUMN vrm.suite_run_cases.position IS 'place in the suite, from 1';
COMMENT ON COLUMN vrm.suite_run_cases.case_id IS 'the case: vrm.test_cases.id';
COMMENT ON COLUMN vrm.suite_run_cases.name IS 'name of the case';
COMMENT ON COLUMN vrm.suite_run_cases.user_persona IS 'who is calling';
COMMENT ON COLUMN vrm.suite_run_cases.scenario IS 'what the caller wants';
COMMENT ON COLUMN vrm.suite_run_cases.metrics IS 'what a call is judged by: the case''s and the suite''s';

-- No foreign key to the call: reports outlive what goes to the archive.  Nothing that changes is in an
-- index, and pages keep room for it.
CREATE TABLE IF NOT EXISTS vrm.suite_calls (
    user_id uuid NOT NULL,
    suite_run_id uuid NOT NULL,
    position integer NOT NULL,
    repeat integer NOT NULL,
    run_id uuid NOT NULL,
    status vrm.run_status,
    passed boolean,
    score double precision,
    duration_ms bigint,
    answering_time double precision,
    failed_checks jsonb,
    failed_metrics jsonb,
    PRIMARY KEY (user_id, suite_run_id, position, repeat),
    FOREIGN KEY (user_id, suite_run_id, position)
        REFERENCES vrm.suite_run_cases (user_id, suite_run_id, position) ON DELETE CASCADE
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX IF NOT EXISTS suite_calls_run ON vrm.suite_calls (user_id, run_id);
COMMENT ON TABLE vrm.suite_calls IS 'calls of a run of a suite, one a case and repeat, and what became of them';
COMMENT ON INDEX vrm.suite_calls_run IS 'the place of a call in its suite';
COMMENT ON COLUMN vrm.suite_calls.user_id IS 'owner of the run';
COMMENT ON COLUMN vrm.suite_calls.suite_run_id IS 'the run of a suite';
COMMENT ON COLUMN vrm.suite_calls.position IS 'its case: vrm.suite_run_cases';
COMMENT ON COLUMN vrm.suite_calls.repeat IS 'counts from 1';
COMMENT ON COLUMN vrm.suite_calls.run_id IS 'the call, which may be in the archive';
COMMENT ON COLUMN vrm.suite_calls.status IS 'completed, failed or cancelled; null as long as it has not ended';
COMMENT ON COLUMN vrm.suite_calls.passed IS 'whether it was good enough; null as long as nobody can tell';
COMMENT ON COLUMN vrm.suite_calls.score IS 'mean of the scores that count';
COMMENT ON COLUMN vrm.suite_calls.duration_ms IS 'how long it took';
COMMENT ON COLUMN vrm.suite_calls.answering_time IS 'p95 of its answering times in milliseconds';
COMMENT ON COLUMN vrm.suite_calls.failed_checks IS 'checks that it failed, each with its reason';
COMMENT ON COLUMN vrm.suite_calls.failed_metrics IS 'metrics that it failed, each with its reason';
