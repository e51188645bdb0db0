-- What the metrics about calls are: rows that come with it

INSERT INTO vrm.monitoring_metrics (name, family, type, labels, help) VALUES
    ('vrm_calls_started_total', 'calls', 'counter', '{}', 'calls that began to run'),
    ('vrm_calls_ended_total', 'calls', 'counter', '{outcome}', 'calls that have ended: completed, failed or cancelled'),
    ('vrm_calls_failed_total', 'calls', 'counter', '{reason}',
     'calls that have failed, by the reason in words of their source; other when that is no plain word'),
    ('vrm_calls_duration_seconds', 'calls', 'histogram', '{}', 'how long calls took that have ended'),
    ('vrm_calls_answering_seconds', 'calls', 'histogram', '{}', 'how long answers of agents took'),
    ('vrm_calls_cost_total', 'calls', 'counter', '{currency}', 'what calls have cost, in whole units of the currency'),
    ('vrm_calls_suite_passed_ratio', 'calls', 'gauge', '{}',
     'calls that passed, of those in runs of suites in the last 7 days that were judged; NaN without any')
    ON CONFLICT (name) DO NOTHING;

INSERT INTO vrm.service_objectives (objective, metric, target, within_seconds, summary, hint) VALUES
    ('CallSuccess', 'vrm_calls_ended_total', 0.95, NULL, 'too many calls fail',
     'Look which and why: SELECT * FROM vrm.failure_reasons(now() - interval ''1 day'', now()); as the owner of the'
     ' calls, or vrm_calls_failed_total.'),
    ('AnsweringTime', 'vrm_calls_answering_seconds', 0.95, 3, 'agents answer too late',
     'Look at the models and voices that the agents use, and how far away they are.')
    ON CONFLICT (objective) DO NOTHING;

INSERT INTO vrm_private.call_totals_state (counted_until, system_identifier)
SELECT pg_snapshot_xmin(pg_current_snapshot()), c.system_identifier FROM pg_control_system() c
ON CONFLICT DO NOTHING;
