-- Monitoring: what is measured, and what is too much: row security, privileges, triggers

REVOKE ALL ON vrm.monitoring_metrics, vrm.alert_threshold, vrm.alert_history, vrm_private.monitoring_state
    FROM PUBLIC, anon, authenticated;
GRANT SELECT ON vrm.monitoring_metrics, vrm.alert_threshold, vrm.alert_history TO pg_monitor;

ALTER TABLE vrm.monitoring_metrics ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.alert_threshold ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.alert_history ENABLE ROW LEVEL SECURITY;
CREATE POLICY "monitors read all" ON vrm.monitoring_metrics FOR SELECT TO pg_monitor USING (true);
COMMENT ON POLICY "monitors read all" ON vrm.monitoring_metrics IS 'nothing of a tenant is in it';
CREATE POLICY "monitors read all" ON vrm.alert_threshold FOR SELECT TO pg_monitor USING (true);
COMMENT ON POLICY "monitors read all" ON vrm.alert_threshold IS 'nothing of a tenant is in it';
CREATE POLICY "monitors read all" ON vrm.alert_history FOR SELECT TO pg_monitor USING (true);
COMMENT ON POLICY "monitors read all" ON vrm.alert_history IS 'nothing of a tenant is in it';
