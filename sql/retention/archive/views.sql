-- The archive: filled, verified, read and taken back from: views

CREATE VIEW vrm.all_test_runs WITH (security_invoker) AS
    SELECT user_id, id, agent_id, test_case_ids, time_limit, outbound_call_params, status::text AS status,
           started_at, completed_at, results, error, NULL::timestamptz AS archived_at, source, external_id,
           direction, outcome, ended_reason, cost, currency, agent_version
    FROM vrm.test_runs
    UNION ALL
    SELECT user_id, id, agent_id, test_case_ids, time_limit, outbound_call_params, status,
           started_at, completed_at, vrm_private.archived_results(results, packed_results), error, archived_at,
           source, external_id, direction, outcome, ended_reason, cost, currency, agent_version
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
COMMENT ON COLUMN vrm.all_test_runs.source IS 'platform that had the call; null for one that was made here';
COMMENT ON COLUMN vrm.all_test_runs.external_id IS 'its id there';
COMMENT ON COLUMN vrm.all_test_runs.direction IS 'who called whom, seen from the agent';
COMMENT ON COLUMN vrm.all_test_runs.outcome IS 'what became of it';
COMMENT ON COLUMN vrm.all_test_runs.ended_reason IS 'why it ended';
COMMENT ON COLUMN vrm.all_test_runs.cost IS 'what it cost';
COMMENT ON COLUMN vrm.all_test_runs.currency IS 'currency that the cost is in';
COMMENT ON COLUMN vrm.all_test_runs.agent_version IS 'version of the agent that it ran with';
REVOKE ALL ON vrm.all_test_runs FROM PUBLIC, anon, authenticated;
GRANT SELECT ON vrm.all_test_runs TO authenticated, service_role;
