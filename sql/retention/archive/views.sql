-- The archive: filled, verified, read and taken back from: views

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
