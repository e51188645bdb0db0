-- Retention: what is due, and runs that take it away: views

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
