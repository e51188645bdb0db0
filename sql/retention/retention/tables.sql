-- Retention: what is due, and runs that take it away: types and tables

-- What is kept how long.  The rules themselves (which rows, which moment counts) are code, in
-- sql/retention/rules: a text that the engine executed would be a superuser's keyboard.
CREATE TABLE IF NOT EXISTS vrm.retention_policies (
    name text PRIMARY KEY,
    keep interval,
    min_keep interval NOT NULL DEFAULT '0',
    enabled boolean NOT NULL DEFAULT true,
    every interval NOT NULL DEFAULT '1 day' CONSTRAINT every_positive CHECK (every > '0'),
    batch_rows integer NOT NULL DEFAULT 1000 CONSTRAINT batch_rows_range CHECK (batch_rows BETWEEN 1 AND 100000),
    batch_target interval NOT NULL DEFAULT '100 ms'
        CONSTRAINT batch_target_range CHECK (batch_target BETWEEN '1 ms' AND '10 s'),
    nice_ratio double precision NOT NULL DEFAULT 0.5 CONSTRAINT nice_ratio_range CHECK (nice_ratio BETWEEN 0 AND 100),
    max_lag interval DEFAULT '10 s',
    max_runtime interval,
    note text,
    referenced text NOT NULL DEFAULT 'hold'
        CONSTRAINT referenced_known CHECK (referenced IN ('hold', 'obey foreign keys'))
);
COMMENT ON TABLE vrm.retention_policies IS 'how long things are kept; every row of a kind matches exactly one policy';
COMMENT ON COLUMN vrm.retention_policies.name IS 'the policy, by the names of the rules';
COMMENT ON COLUMN vrm.retention_policies.keep IS 'how long; null for ever';
COMMENT ON COLUMN vrm.retention_policies.min_keep IS 'floor below which keep cannot be set';
COMMENT ON COLUMN vrm.retention_policies.enabled IS 'whether runs look at it';
COMMENT ON COLUMN vrm.retention_policies.every IS 'how often vrm.maintain() runs it; what was missed is caught up';
COMMENT ON COLUMN vrm.retention_policies.batch_rows IS 'rows of the first batch; later ones adapt';
COMMENT ON COLUMN vrm.retention_policies.batch_target IS 'how long a batch, which is one transaction, should take';
COMMENT ON COLUMN vrm.retention_policies.nice_ratio IS 'pause after a batch, as a multiple of what it took';
COMMENT ON COLUMN vrm.retention_policies.max_lag IS 'a run waits while a standby replays later than this';
COMMENT ON COLUMN vrm.retention_policies.max_runtime IS 'a run stops after this; the next one goes on';
COMMENT ON COLUMN vrm.retention_policies.note IS 'what for';
COMMENT ON COLUMN vrm.retention_policies.referenced IS
    'what becomes of calls that a foreign key of an application refers to: hold keeps them, obey foreign keys lets'
    ' their ON DELETE CASCADE or SET NULL act';

CREATE TABLE IF NOT EXISTS vrm.retention_runs (
    run_id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    policy text NOT NULL,
    state text NOT NULL DEFAULT 'running'
        CONSTRAINT known_state CHECK (state IN ('running', 'done', 'stopped', 'failed', 'interrupted')),
    cutoff timestamptz NOT NULL,
    as_of timestamptz NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_batch_at timestamptz,
    finished_at timestamptz,
    pid integer,
    backend_start timestamptz,
    estimated_rows bigint,
    rows_done bigint NOT NULL DEFAULT 0,
    rows_busy bigint NOT NULL DEFAULT 0,
    bytes_done bigint NOT NULL DEFAULT 0,
    batches integer NOT NULL DEFAULT 0,
    retries integer NOT NULL DEFAULT 0,
    stop_requested boolean NOT NULL DEFAULT false,
    error text,
    CONSTRAINT finished_when_over CHECK ((state = 'running') = (finished_at IS NULL))
);
CREATE UNIQUE INDEX IF NOT EXISTS retention_runs_running ON vrm.retention_runs (policy) WHERE state = 'running';
CREATE INDEX IF NOT EXISTS retention_runs_policy ON vrm.retention_runs (policy, run_id);
COMMENT ON TABLE vrm.retention_runs IS 'the log of retention: one row per run of a policy';
COMMENT ON INDEX vrm.retention_runs_running IS 'a policy has one run at a time';
COMMENT ON INDEX vrm.retention_runs_policy IS 'runs of a policy, in order';
COMMENT ON COLUMN vrm.retention_runs.run_id IS 'the run';
COMMENT ON COLUMN vrm.retention_runs.policy IS 'what it ran: retention_policies.name';
COMMENT ON COLUMN vrm.retention_runs.state IS
    'running, done, stopped (asked, or out of time or rows), failed, interrupted (its backend is gone)';
COMMENT ON COLUMN vrm.retention_runs.cutoff IS 'what is older goes; fixed when the run begins, in UTC';
COMMENT ON COLUMN vrm.retention_runs.as_of IS 'the moment that periods of single rows are held against';
COMMENT ON COLUMN vrm.retention_runs.started_at IS 'when it began';
COMMENT ON COLUMN vrm.retention_runs.last_batch_at IS 'when its last batch was done';
COMMENT ON COLUMN vrm.retention_runs.finished_at IS 'when it was over; null while it runs';
COMMENT ON COLUMN vrm.retention_runs.pid IS 'server process that runs it';
COMMENT ON COLUMN vrm.retention_runs.backend_start IS
    'when that process began, which tells it from a later one of the same number';
COMMENT ON COLUMN vrm.retention_runs.estimated_rows IS 'rows that were due when it began';
COMMENT ON COLUMN vrm.retention_runs.rows_done IS 'rows that it has moved or removed, as committed';
COMMENT ON COLUMN vrm.retention_runs.rows_busy IS 'rows that others had locked or changed: left to the next run';
COMMENT ON COLUMN vrm.retention_runs.bytes_done IS 'their size';
COMMENT ON COLUMN vrm.retention_runs.batches IS 'transactions that did something';
COMMENT ON COLUMN vrm.retention_runs.retries IS 'batches tried again after a lock timeout, deadlock or the like';
COMMENT ON COLUMN vrm.retention_runs.stop_requested IS 'set by vrm.stop_retention()';
COMMENT ON COLUMN vrm.retention_runs.error IS 'why it failed: SQLSTATE and message';

-- What could not go, and is not tried with the others any more.
CREATE TABLE IF NOT EXISTS vrm.retention_refused (
    policy text NOT NULL,
    row_key text NOT NULL,
    relation text NOT NULL,
    person_id uuid REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    sqlstate text NOT NULL,
    message text NOT NULL,
    run_id bigint NOT NULL,
    attempts integer NOT NULL DEFAULT 1,
    first_refused_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_refused_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (policy, row_key)
);
CREATE INDEX IF NOT EXISTS retention_refused_person ON vrm.retention_refused (person_id);
COMMENT ON TABLE vrm.retention_refused IS
    'rows that something refuses to let go; each run tries them once, by themselves';
COMMENT ON INDEX vrm.retention_refused_person IS 'by person, with whom they go';
COMMENT ON COLUMN vrm.retention_refused.policy IS 'what would take it: retention_policies.name';
COMMENT ON COLUMN vrm.retention_refused.row_key IS 'the row''s key, or the partition';
COMMENT ON COLUMN vrm.retention_refused.relation IS 'table that it is in';
COMMENT ON COLUMN vrm.retention_refused.person_id IS 'whose it is; null for nobody''s';
COMMENT ON COLUMN vrm.retention_refused.sqlstate IS 'why it could not go';
COMMENT ON COLUMN vrm.retention_refused.message IS 'the same in words';
COMMENT ON COLUMN vrm.retention_refused.run_id IS 'run that tried it last';
COMMENT ON COLUMN vrm.retention_refused.attempts IS 'how many have';
COMMENT ON COLUMN vrm.retention_refused.first_refused_at IS 'since when';
COMMENT ON COLUMN vrm.retention_refused.last_refused_at IS 'when it was tried last';
