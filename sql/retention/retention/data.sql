-- Retention: what is due, and runs that take it away: rows that come with it

INSERT INTO vrm.retention_policies (name, keep, min_keep, batch_rows, note) VALUES
    ('calls.active', NULL, '0', 1000, 'queued and running calls stay'),
    ('calls.completed', '2 years', '90 days', 1000, 'completed calls go to the archive'),
    ('calls.failed', '1 year', '30 days', 1000, 'failed and cancelled calls go to the archive'),
    ('archive', NULL, '1 year', 1, 'partitions of the archive are dropped; by default never'),
    ('recordings', '90 days', '1 day', 1000,
     'recordings are deleted here and in the object store; each may have a period of its own'),
    ('users.inactive', '3 years', '1 year', 10,
     'accounts that nobody signs in to are deleted, as if their owner had asked'),
    ('users.deleted', '30 days', '7 days', 1, 'deleted accounts are erased'),
    ('logs.application', '90 days', '1 day', 1, 'partitions of vrm.logs_application are dropped'),
    ('logs.error', '1 year', '7 days', 1, 'partitions of vrm.logs_error are dropped'),
    ('logs.analytics', '2 years', '7 days', 1, 'partitions of vrm.logs_analytics are dropped'),
    ('analytics.facts', '2 years', '90 days', 5000, 'facts of calls are deleted, whole months'),
    ('analytics.rollups', '2 years', '90 days', 5000, 'statistics made of them are deleted, whole months')
    ON CONFLICT (name) DO NOTHING;
