-- Alerts about agents, by tenant: rows that come with it

INSERT INTO vrm.retention_policies (name, keep, min_keep, batch_rows, note) VALUES
    ('agent.alerts', '1 year', '1 day', 1000, 'alerts about agents that are over are deleted')
    ON CONFLICT (name) DO NOTHING;

-- Of all tenants together: no label tells whose an agent is.
INSERT INTO vrm.monitoring_metrics (name, family, type, labels, help) VALUES
    ('vrm_agents_thresholds', 'agents', 'gauge', '{}', 'thresholds of owners for their agents that are looked at'),
    ('vrm_agents_alerts_open', 'agents', 'gauge', '{measure}',
     'alerts about agents that are open, of all owners, as of the last vrm.maintain()'),
    ('vrm_agents_calls_waiting', 'agents', 'gauge', '{}', 'calls that wait for a runner'),
    ('vrm_agents_leases', 'agents', 'gauge', '{}', 'calls that runners have'),
    ('vrm_agents_suite_runs', 'agents', 'gauge', '{}', 'runs of suites that began in the last 24 hours'),
    ('vrm_agents_suite_passed_ratio', 'agents', 'gauge', '{version}',
     'part of the judged calls of suites of the last 30 days that passed, on what agents are now and were before;'
     ' NaN without any')
    ON CONFLICT (name) DO NOTHING;

INSERT INTO vrm.alert_threshold
    (alert, metric, comparison, threshold, hold, severity, enabled, summary, hint, fix_sql) VALUES
    ('AgentsBeyondThresholds', 'vrm_agents_alerts_open', '>', 0, '0', 'warning', true,
     'agents are beyond what their owners allow',
     'Owners see theirs in vrm.agent_alerts, and change what they allow in vrm.agent_thresholds.',
     'SELECT user_id, agent_id, measure, value, allowed, since FROM vrm.agent_alerts WHERE resolved_at IS NULL')
    ON CONFLICT (alert) DO NOTHING;
