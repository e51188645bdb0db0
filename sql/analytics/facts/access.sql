-- Facts of calls and statistics made of them in advance: row security, privileges, triggers

ALTER TABLE vrm.call_facts ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.call_dirty ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.call_rollup ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm.call_facts, vrm.call_dirty, vrm.call_rollup FROM PUBLIC, anon, authenticated;
GRANT SELECT ON vrm.call_facts, vrm.call_dirty, vrm.call_rollup TO authenticated, service_role;
CREATE POLICY "users read the facts of their calls" ON vrm.call_facts
    FOR SELECT TO authenticated
    USING (user_id = vrm.uid());
COMMENT ON POLICY "users read the facts of their calls" ON vrm.call_facts IS 'own rows only';
CREATE POLICY "users read which of their days have changed" ON vrm.call_dirty
    FOR SELECT TO authenticated
    USING (user_id = vrm.uid());
COMMENT ON POLICY "users read which of their days have changed" ON vrm.call_dirty IS 'own rows only';
CREATE POLICY "users read the statistics of their calls" ON vrm.call_rollup
    FOR SELECT TO authenticated
    USING (user_id = vrm.uid());
COMMENT ON POLICY "users read the statistics of their calls" ON vrm.call_rollup IS 'own rows only';

-- Without its trigger, such as while the extension was gone, calls have left no facts.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'vrm.test_runs'::regclass AND tgname = 'record_facts') THEN
        PERFORM vrm_private.rebuild_facts();
    END IF;
END
$$;
CREATE TRIGGER record_facts
    AFTER INSERT OR DELETE
       OR UPDATE OF user_id, id, agent_id, status, started_at, completed_at, results, outcome, cost, currency
    ON vrm.test_runs
    FOR EACH ROW EXECUTE FUNCTION vrm.record_facts();
COMMENT ON TRIGGER record_facts ON vrm.test_runs IS 'keeps vrm.call_facts in step';
