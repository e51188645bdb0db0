-- Monitoring: what is measured, and what is too much: row security, privileges, triggers

REVOKE ALL ON vrm.monitoring_metrics, vrm.alert_threshold, vrm.alert_history, vrm_private.monitoring_state
    FROM PUBLIC, anon, authenticated;
GRANT SELECT ON vrm.monitoring_metrics, vrm.alert_threshold, vrm.alert_history TO pg_monitor;
