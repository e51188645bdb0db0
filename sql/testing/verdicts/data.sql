-- Verdicts on calls: rows that come with it

INSERT INTO vrm.retention_policies (name, keep, min_keep, batch_rows, note) VALUES
    ('verdicts', '2 years', '30 days', 1000,
     'verdicts are deleted when their call is neither here nor in the archive nor in a run of a suite')
    ON CONFLICT (name) DO NOTHING;
