-- Alerts about agents, by tenant: row security, privileges, triggers

CREATE TRIGGER set_updated_at BEFORE UPDATE ON vrm.agent_thresholds
    FOR EACH ROW EXECUTE FUNCTION vrm.set_updated_at();
COMMENT ON TRIGGER set_updated_at ON vrm.agent_thresholds IS 'keeps updated_at';

CREATE TRIGGER check_values BEFORE INSERT OR UPDATE ON vrm.agent_thresholds
    FOR EACH ROW EXECUTE FUNCTION vrm_private.check_agent_threshold();
COMMENT ON TRIGGER check_values ON vrm.agent_thresholds IS 'values that make sense';

ALTER TABLE vrm.agent_thresholds ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.agent_alerts ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm.agent_thresholds, vrm.agent_alerts FROM PUBLIC, anon, authenticated;
GRANT SELECT, DELETE,
      INSERT (user_id, agent_id, measure, comparison, compared_with, threshold, min_calls, enabled),
      UPDATE (agent_id, measure, comparison, compared_with, threshold, min_calls, enabled)
    ON vrm.agent_thresholds TO authenticated;
GRANT SELECT ON vrm.agent_alerts TO authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON vrm.agent_thresholds, vrm.agent_alerts TO service_role;

CREATE POLICY "users manage thresholds of their agents" ON vrm.agent_thresholds
    FOR ALL TO authenticated
    USING (user_id = vrm.uid())
    WITH CHECK (user_id = vrm.uid());
COMMENT ON POLICY "users manage thresholds of their agents" ON vrm.agent_thresholds IS 'own rows only';
CREATE POLICY "users read alerts about their agents" ON vrm.agent_alerts
    FOR SELECT TO authenticated
    USING (user_id = vrm.uid());
COMMENT ON POLICY "users read alerts about their agents" ON vrm.agent_alerts IS 'own rows only';
