-- The archive: filled, verified, read and taken back from: types and tables

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
    source text,
    external_id text,
    direction vrm.call_direction,
    outcome text,
    ended_reason text,
    cost numeric(18, 6),
    currency text,
    PRIMARY KEY (user_id, id, archived_at)
) PARTITION BY RANGE (archived_at);
CREATE TABLE IF NOT EXISTS vrm_private.test_runs_archive_rest
    PARTITION OF vrm_private.test_runs_archive DEFAULT;
ALTER TABLE vrm_private.test_runs_archive
    ADD COLUMN IF NOT EXISTS results_sha256 bytea,
    ADD COLUMN IF NOT EXISTS packed_results bytea;
CREATE INDEX IF NOT EXISTS test_runs_archive_user_time ON vrm_private.test_runs_archive (user_id, started_at);
CREATE INDEX IF NOT EXISTS test_runs_archive_batch ON vrm_private.test_runs_archive USING brin (batch_id);
COMMENT ON INDEX vrm_private.test_runs_archive_user_time IS 'a user''s archived calls by time';
CREATE INDEX IF NOT EXISTS test_runs_archive_external_id
    ON vrm_private.test_runs_archive (user_id, source, external_id) WHERE external_id IS NOT NULL;
COMMENT ON INDEX vrm_private.test_runs_archive_external_id IS 'archived calls by their id at their source';
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
COMMENT ON COLUMN vrm_private.test_runs_archive.source IS 'platform that had the call';
COMMENT ON COLUMN vrm_private.test_runs_archive.external_id IS 'its id there';
COMMENT ON COLUMN vrm_private.test_runs_archive.direction IS 'who called whom, seen from the agent';
COMMENT ON COLUMN vrm_private.test_runs_archive.outcome IS 'what became of it';
COMMENT ON COLUMN vrm_private.test_runs_archive.ended_reason IS 'why it ended';
COMMENT ON COLUMN vrm_private.test_runs_archive.cost IS 'what it cost';
COMMENT ON COLUMN vrm_private.test_runs_archive.currency IS 'currency that the cost is in';
COMMENT ON COLUMN vrm_private.test_runs_archive.results_sha256 IS 'vrm.document_digest() of results';
COMMENT ON COLUMN vrm_private.test_runs_archive.packed_results IS 'results as vrm.compress_archive() packs them';
-- what ended under 1.0.0 gets it when it is archived
ALTER TABLE vrm.test_runs ADD COLUMN IF NOT EXISTS results_sha256 bytea;
COMMENT ON COLUMN vrm.test_runs.results_sha256 IS
    'vrm.document_digest() of the results of a call that has ended: archiving need not read them; kept by a trigger';
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals))
        AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'vrm_private.test_runs_archive'::regclass
                                               AND attname = 'results' AND attcompression = '') THEN
        ALTER TABLE vrm_private.test_runs_archive ALTER COLUMN results SET COMPRESSION lz4;
        ALTER TABLE vrm_private.test_runs_archive_rest ALTER COLUMN results SET COMPRESSION lz4;
    END IF;
END
$$;

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
    'what each batch has archived: digests to compare every row with, each row chained to the one before';
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
