-- Retention ---------------------------------------------------------------------------------------

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
    PRIMARY KEY (user_id, id, archived_at)
) PARTITION BY RANGE (archived_at);
CREATE TABLE IF NOT EXISTS vrm_private.test_runs_archive_rest
    PARTITION OF vrm_private.test_runs_archive DEFAULT;
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
REVOKE ALL ON vrm.all_test_runs FROM PUBLIC, anon, authenticated;
GRANT SELECT ON vrm.all_test_runs TO authenticated, service_role;
