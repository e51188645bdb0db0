-- Calls ("test runs"): their life from queue to end: row security, privileges, triggers

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_publication WHERE pubname = 'supabase_realtime')
       AND NOT EXISTS (SELECT FROM pg_publication_tables
                       WHERE pubname = 'supabase_realtime' AND schemaname = 'vrm' AND tablename = 'run_events') THEN
        ALTER PUBLICATION supabase_realtime ADD TABLE vrm.run_events;
    END IF;
END
$$;

CREATE TRIGGER check_status_change BEFORE UPDATE OF status ON vrm.test_runs
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION vrm_private.check_status_change();
COMMENT ON TRIGGER check_status_change ON vrm.test_runs IS 'states change only forward';
CREATE TRIGGER link_test_cases AFTER INSERT ON vrm.test_runs
    FOR EACH ROW WHEN (NEW.test_case_ids IS NOT NULL AND NEW.test_case_ids <> '[]')
    EXECUTE FUNCTION vrm_private.link_test_cases();
COMMENT ON TRIGGER link_test_cases ON vrm.test_runs IS 'keeps vrm.test_run_cases in step';
CREATE TRIGGER relink_test_cases AFTER UPDATE OF test_case_ids ON vrm.test_runs
    FOR EACH ROW WHEN (OLD.test_case_ids IS DISTINCT FROM NEW.test_case_ids)
    EXECUTE FUNCTION vrm_private.link_test_cases();
COMMENT ON TRIGGER relink_test_cases ON vrm.test_runs IS 'keeps vrm.test_run_cases in step';
-- calls that are brought in have their events written along with them
CREATE TRIGGER record_first_status AFTER INSERT ON vrm.test_runs
    FOR EACH ROW WHEN (NEW.source IS NULL OR NEW.completed_at IS NULL) EXECUTE FUNCTION vrm_private.record_status();
COMMENT ON TRIGGER record_first_status ON vrm.test_runs IS 'one event a state';
CREATE TRIGGER record_status AFTER UPDATE OF status ON vrm.test_runs
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION vrm_private.record_status();
COMMENT ON TRIGGER record_status ON vrm.test_runs IS 'one event a state';

-- Who may do what: states and results change only through functions.sql -------
ALTER TABLE vrm.test_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.call_outcomes ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.speaker_roles ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.live_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.test_run_cases ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.transcript_turns ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.run_actions ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.run_events ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON
    vrm.call_outcomes, vrm.speaker_roles, vrm.test_runs, vrm.live_runs, vrm.test_run_cases, vrm.transcript_turns,
    vrm.run_actions, vrm.run_events
    FROM PUBLIC, anon, authenticated;
GRANT SELECT ON vrm.call_outcomes, vrm.speaker_roles TO authenticated;
GRANT SELECT, DELETE,
      INSERT (user_id, agent_id, test_case_ids, time_limit, outbound_call_params, status)
    ON vrm.test_runs TO authenticated;
GRANT SELECT ON vrm.live_runs TO authenticated, service_role;
GRANT SELECT ON vrm.test_run_cases, vrm.transcript_turns, vrm.run_actions, vrm.run_events TO authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE
    ON vrm.call_outcomes, vrm.speaker_roles, vrm.test_runs, vrm.test_run_cases, vrm.transcript_turns,
       vrm.run_actions, vrm.run_events
    TO service_role;

CREATE POLICY "everybody reads the outcomes" ON vrm.call_outcomes
    FOR SELECT TO authenticated
    USING (true);
COMMENT ON POLICY "everybody reads the outcomes" ON vrm.call_outcomes IS 'words, and nobody''s data';
CREATE POLICY "everybody reads the roles of speakers" ON vrm.speaker_roles
    FOR SELECT TO authenticated
    USING (true);
COMMENT ON POLICY "everybody reads the roles of speakers" ON vrm.speaker_roles IS 'words, and nobody''s data';
CREATE POLICY "users access their own test runs" ON vrm.test_runs
    FOR ALL TO authenticated
    USING (user_id = vrm.uid())
    WITH CHECK (user_id = vrm.uid());
COMMENT ON POLICY "users access their own test runs" ON vrm.test_runs IS 'own rows only';
CREATE POLICY "users read which of their calls are live" ON vrm.live_runs
    FOR SELECT TO authenticated
    USING (user_id = vrm.uid());
COMMENT ON POLICY "users read which of their calls are live" ON vrm.live_runs IS 'own rows only';
CREATE POLICY "users read the cases of their test runs" ON vrm.test_run_cases
    FOR SELECT TO authenticated
    USING (user_id = vrm.uid());
COMMENT ON POLICY "users read the cases of their test runs" ON vrm.test_run_cases IS 'own rows only';
CREATE POLICY "users read the turns of their calls" ON vrm.transcript_turns
    FOR SELECT TO authenticated
    USING (user_id = vrm.uid());
COMMENT ON POLICY "users read the turns of their calls" ON vrm.transcript_turns IS 'own rows only';
CREATE POLICY "users read the actions of their calls" ON vrm.run_actions
    FOR SELECT TO authenticated
    USING (user_id = vrm.uid());
COMMENT ON POLICY "users read the actions of their calls" ON vrm.run_actions IS 'own rows only';
CREATE POLICY "users read the events of their calls" ON vrm.run_events
    FOR SELECT TO authenticated
    USING (user_id = vrm.uid());
COMMENT ON POLICY "users read the events of their calls" ON vrm.run_events IS 'own rows only';
