-- Retention: the archive, the policies, and what the engine writes down ---------------------------

-- The columns of vrm.test_runs, when the row was archived, and whatever columns a DBA has added.
CREATE TABLE IF NOT EXISTS vrm_private.test_runs_archive (
    user_id uuid NOT NULL,
    id uuid NOT NULL,
    agent_id uuid,
    test_case_ids jsonb,
    time_limit integer NOT NULL,
    outbound_call_params jsonb,
    status text NOT NULL,
    started_at timestamptz NOT NULL,
    completed_at timestamptz NOT NULL,
    results jsonb,
    error text,
    archived_at timestamptz NOT NULL DEFAULT now(),
    extra jsonb,
    batch_id bigint,
    PRIMARY KEY (user_id, id, archived_at)
) PARTITION BY RANGE (archived_at);
CREATE TABLE IF NOT EXISTS vrm_private.test_runs_archive_rest
    PARTITION OF vrm_private.test_runs_archive DEFAULT;
CREATE INDEX IF NOT EXISTS test_runs_archive_user_time ON vrm_private.test_runs_archive (user_id, started_at);
CREATE INDEX IF NOT EXISTS test_runs_archive_batch ON vrm_private.test_runs_archive USING brin (batch_id);
COMMENT ON INDEX vrm_private.test_runs_archive_user_time IS 'a user''s archived calls by time';
COMMENT ON INDEX vrm_private.test_runs_archive_batch IS 'rows of a batch, which lie side by side';
COMMENT ON TABLE vrm_private.test_runs_archive IS 'calls that retention has taken out of vrm.test_runs';
COMMENT ON TABLE vrm_private.test_runs_archive_rest IS 'archived calls of times without a partition of their own';
COMMENT ON COLUMN vrm_private.test_runs_archive.user_id IS 'owner';
COMMENT ON COLUMN vrm_private.test_runs_archive.id IS 'the call';
COMMENT ON COLUMN vrm_private.test_runs_archive.agent_id IS 'agent that took or made it';
COMMENT ON COLUMN vrm_private.test_runs_archive.test_case_ids IS 'ids of its test cases';
COMMENT ON COLUMN vrm_private.test_runs_archive.time_limit IS 'seconds that the call might run';
COMMENT ON COLUMN vrm_private.test_runs_archive.outbound_call_params IS 'whom to call and how';
COMMENT ON COLUMN vrm_private.test_runs_archive.status IS 'completed, failed or cancelled';
COMMENT ON COLUMN vrm_private.test_runs_archive.started_at IS 'when it began';
COMMENT ON COLUMN vrm_private.test_runs_archive.completed_at IS 'when it ended';
COMMENT ON COLUMN vrm_private.test_runs_archive.results IS 'transcript, actions, insights';
COMMENT ON COLUMN vrm_private.test_runs_archive.error IS 'why it failed';
COMMENT ON COLUMN vrm_private.test_runs_archive.archived_at IS 'when it was archived';
COMMENT ON COLUMN vrm_private.test_runs_archive.extra IS 'columns of vrm.test_runs that the archive has no column for';
COMMENT ON COLUMN vrm_private.test_runs_archive.batch_id IS 'batch that brought it: vrm_private.archive_manifest';
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)) THEN
        ALTER TABLE vrm_private.test_runs_archive ALTER COLUMN results SET COMPRESSION lz4;
        ALTER TABLE vrm_private.test_runs_archive_rest ALTER COLUMN results SET COMPRESSION lz4;
    END IF;
END
$$;

ALTER TABLE vrm_private.test_runs_archive ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm_private.test_runs_archive_rest ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm_private.test_runs_archive, vrm_private.test_runs_archive_rest FROM PUBLIC, anon, authenticated;
-- Read through the view: without USAGE on vrm_private nobody can name the table itself.
GRANT SELECT ON vrm_private.test_runs_archive TO authenticated, service_role;
CREATE POLICY "users read their own archived test runs" ON vrm_private.test_runs_archive
    FOR SELECT TO authenticated
    USING (user_id = vrm.uid());
COMMENT ON POLICY "users read their own archived test runs" ON vrm_private.test_runs_archive IS 'own rows only';

CREATE VIEW vrm.all_test_runs WITH (security_invoker) AS
    SELECT user_id, id, agent_id, test_case_ids, time_limit, outbound_call_params, status::text AS status,
           started_at, completed_at, results, error, NULL::timestamptz AS archived_at
    FROM vrm.test_runs
    UNION ALL
    SELECT user_id, id, agent_id, test_case_ids, time_limit, outbound_call_params, status,
           started_at, completed_at, results, error, archived_at
    FROM vrm_private.test_runs_archive;
COMMENT ON VIEW vrm.all_test_runs IS 'calls, live and archived; archived_at tells which';
COMMENT ON COLUMN vrm.all_test_runs.user_id IS 'owner';
COMMENT ON COLUMN vrm.all_test_runs.id IS 'the call';
COMMENT ON COLUMN vrm.all_test_runs.agent_id IS 'agent that took or made it';
COMMENT ON COLUMN vrm.all_test_runs.test_case_ids IS 'ids of its test cases';
COMMENT ON COLUMN vrm.all_test_runs.time_limit IS 'seconds that the call may run';
COMMENT ON COLUMN vrm.all_test_runs.outbound_call_params IS 'whom to call and how';
COMMENT ON COLUMN vrm.all_test_runs.status IS 'state of the call';
COMMENT ON COLUMN vrm.all_test_runs.started_at IS 'when it began';
COMMENT ON COLUMN vrm.all_test_runs.completed_at IS 'when it ended; null while it runs';
COMMENT ON COLUMN vrm.all_test_runs.results IS 'transcript, actions, insights';
COMMENT ON COLUMN vrm.all_test_runs.error IS 'why it failed';
COMMENT ON COLUMN vrm.all_test_runs.archived_at IS 'when it was archived; null while it is in vrm.test_runs';
REVOKE ALL ON vrm.all_test_runs FROM PUBLIC, anon, authenticated;
GRANT SELECT ON vrm.all_test_runs TO authenticated, service_role;

-- What is kept how long.  The rules themselves (which rows, which moment counts) are code, in
-- vrm_private.retention_rules(): a text that the engine executed would be a superuser's keyboard.
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
    CONSTRAINT keep_not_below_floor CHECK (keep >= min_keep)
);
COMMENT ON TABLE vrm.retention_policies IS 'how long what is kept; every row of a kind matches exactly one policy';
COMMENT ON COLUMN vrm.retention_policies.name IS 'the policy, by the names of vrm_private.retention_rules()';
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

INSERT INTO vrm.retention_policies (name, keep, min_keep, batch_rows, note) VALUES
    ('calls.active', NULL, '0', 1000, 'queued and running calls stay'),
    ('calls.completed', '2 years', '90 days', 1000, 'completed calls go to the archive'),
    ('calls.failed', '1 year', '30 days', 1000, 'failed and cancelled calls go to the archive'),
    ('archive', NULL, '1 year', 1, 'partitions of the archive are dropped; by default never'),
    ('recordings', '90 days', '1 day', 1000,
     'recordings are deleted here and in the object store; each may have a period of its own'),
    ('users.inactive', '3 years', '1 year', 10,
     'accounts that nobody signs in to are deleted, as if their owner had asked'),
    ('users.deleted', '30 days', '7 days', 1, 'deleted accounts are erased'),
    ('logs.application', '90 days', '1 day', 1, 'partitions of vrm.logs_application are dropped'),
    ('logs.error', '1 year', '7 days', 1, 'partitions of vrm.logs_error are dropped'),
    ('logs.analytics', '2 years', '7 days', 1, 'partitions of vrm.logs_analytics are dropped'),
    ('analytics.facts', '2 years', '90 days', 5000, 'facts of calls are deleted, whole months'),
    ('analytics.rollups', '2 years', '90 days', 5000, 'statistics made of them are deleted, whole months')
    ON CONFLICT (name) DO NOTHING;

CREATE TABLE IF NOT EXISTS vrm_private.legal_holds (
    hold_id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    reason text NOT NULL CONSTRAINT reason_length CHECK (length(reason) BETWEEN 1 AND 2000),
    user_id uuid,
    agent_id uuid,
    run_id uuid,
    started tstzrange,
    placed_by name NOT NULL DEFAULT session_user,
    placed_at timestamptz NOT NULL DEFAULT now(),
    released_by name,
    released_at timestamptz,
    CONSTRAINT holds_something CHECK (num_nonnulls(user_id, agent_id, run_id, started) > 0),
    CONSTRAINT released_by_somebody CHECK ((released_by IS NULL) = (released_at IS NULL))
);
CREATE INDEX IF NOT EXISTS legal_holds_in_force ON vrm_private.legal_holds (user_id) WHERE released_at IS NULL;
COMMENT ON TABLE vrm_private.legal_holds IS 'what must not go, whatever its age; without end until released';
COMMENT ON INDEX vrm_private.legal_holds_in_force IS 'holds that are in force';
COMMENT ON COLUMN vrm_private.legal_holds.hold_id IS 'the hold';
COMMENT ON COLUMN vrm_private.legal_holds.reason IS 'why, for who comes later';
COMMENT ON COLUMN vrm_private.legal_holds.user_id IS 'of this person; null for anybody';
COMMENT ON COLUMN vrm_private.legal_holds.agent_id IS 'calls of this agent; null for any';
COMMENT ON COLUMN vrm_private.legal_holds.run_id IS 'this call; null for any';
COMMENT ON COLUMN vrm_private.legal_holds.started IS 'calls that began within; null for any time';
COMMENT ON COLUMN vrm_private.legal_holds.placed_by IS 'database user who placed it';
COMMENT ON COLUMN vrm_private.legal_holds.placed_at IS 'when';
COMMENT ON COLUMN vrm_private.legal_holds.released_by IS 'database user who released it';
COMMENT ON COLUMN vrm_private.legal_holds.released_at IS 'when; null while in force';

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
COMMENT ON TABLE vrm.retention_runs IS 'the log of retention: one row a run of a policy';
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
COMMENT ON COLUMN vrm.retention_runs.error IS 'why it failed';

CREATE TABLE IF NOT EXISTS vrm_private.archive_manifest (
    batch_id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    run_id bigint NOT NULL REFERENCES vrm.retention_runs (run_id),
    row_count bigint NOT NULL CONSTRAINT row_count_positive CHECK (row_count > 0),
    archived_at timestamptz NOT NULL,
    oldest timestamptz,
    newest timestamptz,
    bytes bigint NOT NULL,
    columns text[] NOT NULL,
    rows_sha256 bytea NOT NULL CONSTRAINT rows_sha256_length CHECK (length(rows_sha256) = 32),
    chain_sha256 bytea NOT NULL CONSTRAINT chain_sha256_length CHECK (length(chain_sha256) = 32),
    purged_at timestamptz
);
CREATE INDEX IF NOT EXISTS archive_manifest_run ON vrm_private.archive_manifest (run_id);
COMMENT ON TABLE vrm_private.archive_manifest IS
    'what each batch has archived: digests that every row can be held against, each row chained to the one before';
COMMENT ON INDEX vrm_private.archive_manifest_run IS 'batches of a run';
COMMENT ON COLUMN vrm_private.archive_manifest.batch_id IS 'the batch';
COMMENT ON COLUMN vrm_private.archive_manifest.run_id IS 'run that it belongs to';
COMMENT ON COLUMN vrm_private.archive_manifest.row_count IS 'how many rows';
COMMENT ON COLUMN vrm_private.archive_manifest.archived_at IS 'test_runs_archive.archived_at of all of them';
COMMENT ON COLUMN vrm_private.archive_manifest.oldest IS 'earliest completed_at';
COMMENT ON COLUMN vrm_private.archive_manifest.newest IS 'latest completed_at';
COMMENT ON COLUMN vrm_private.archive_manifest.bytes IS 'size of the rows as stored';
COMMENT ON COLUMN vrm_private.archive_manifest.columns IS 'columns that the digest covers, in its order';
COMMENT ON COLUMN vrm_private.archive_manifest.rows_sha256 IS 'SHA-256 of the rows'' digests, sorted';
COMMENT ON COLUMN vrm_private.archive_manifest.chain_sha256 IS 'SHA-256 of this row and the chain_sha256 before it';
COMMENT ON COLUMN vrm_private.archive_manifest.purged_at IS 'when the rows'' partition was dropped for its age';

CREATE TABLE IF NOT EXISTS vrm_private.archive_removals (
    batch_id bigint NOT NULL REFERENCES vrm_private.archive_manifest (batch_id),
    row_sha256 bytea NOT NULL CONSTRAINT row_sha256_length CHECK (length(row_sha256) = 32),
    reason text NOT NULL CONSTRAINT known_reason CHECK (reason IN ('restored', 'erased')),
    removed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (batch_id, row_sha256)
);
COMMENT ON TABLE vrm_private.archive_removals IS
    'rows that have left the archive for a reason: their digests stay, so that the others can still be verified';
COMMENT ON COLUMN vrm_private.archive_removals.batch_id IS 'batch that had brought the row';
COMMENT ON COLUMN vrm_private.archive_removals.row_sha256 IS 'digest of the row';
COMMENT ON COLUMN vrm_private.archive_removals.reason IS 'restored to vrm.test_runs, or erased with its owner';
COMMENT ON COLUMN vrm_private.archive_removals.removed_at IS 'when';

ALTER TABLE vrm.retention_policies ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.retention_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm_private.legal_holds ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm_private.archive_manifest ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm_private.archive_removals ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm.retention_policies, vrm.retention_runs, vrm_private.legal_holds, vrm_private.archive_manifest,
    vrm_private.archive_removals FROM PUBLIC, anon, authenticated;
-- all but the floor
GRANT SELECT, UPDATE (keep, enabled, every, batch_rows, batch_target, nice_ratio, max_lag, max_runtime, note)
    ON vrm.retention_policies TO service_role;
GRANT SELECT ON vrm.retention_runs TO service_role;

CREATE VIEW vrm.retention_progress WITH (security_invoker) AS
    SELECT r.run_id, r.policy, r.pid, r.started_at, r.cutoff, r.rows_done, r.estimated_rows,
           round(100.0 * r.rows_done / nullif(r.estimated_rows, 0), 1) AS percent, r.rows_busy, r.bytes_done,
           r.batches, clock_timestamp() - coalesce(r.last_batch_at, r.started_at) AS since_last_batch,
           (r.last_batch_at - r.started_at) * (r.estimated_rows - r.rows_done) / nullif(r.rows_done, 0) AS time_left,
           r.stop_requested
    FROM vrm.retention_runs r
    WHERE r.state = 'running';
COMMENT ON VIEW vrm.retention_progress IS 'runs of retention that are under way, as of their last batch';
COMMENT ON COLUMN vrm.retention_progress.run_id IS 'the run';
COMMENT ON COLUMN vrm.retention_progress.policy IS 'what it runs';
COMMENT ON COLUMN vrm.retention_progress.pid IS 'server process that runs it';
COMMENT ON COLUMN vrm.retention_progress.started_at IS 'when it began';
COMMENT ON COLUMN vrm.retention_progress.cutoff IS 'what is older goes';
COMMENT ON COLUMN vrm.retention_progress.rows_done IS 'rows moved or removed, as committed';
COMMENT ON COLUMN vrm.retention_progress.estimated_rows IS 'rows that were due when it began';
COMMENT ON COLUMN vrm.retention_progress.percent IS 'of the rows that were due';
COMMENT ON COLUMN vrm.retention_progress.rows_busy IS 'rows that others had locked or changed';
COMMENT ON COLUMN vrm.retention_progress.bytes_done IS 'their size';
COMMENT ON COLUMN vrm.retention_progress.batches IS 'transactions that did something';
COMMENT ON COLUMN vrm.retention_progress.since_last_batch IS 'how long ago the last batch was committed';
COMMENT ON COLUMN vrm.retention_progress.time_left IS 'at the pace so far';
COMMENT ON COLUMN vrm.retention_progress.stop_requested IS 'whether somebody has called vrm.stop_retention()';
REVOKE ALL ON vrm.retention_progress FROM PUBLIC, anon, authenticated;
GRANT SELECT ON vrm.retention_progress TO service_role;
