-- Suites of test cases and their runs: rows that come with it

INSERT INTO vrm.retention_policies (name, keep, min_keep, batch_rows, note) VALUES
    ('suites', '2 years', '30 days', 10,
     'runs of suites are deleted once all of their calls have ended, with what became of them')
    ON CONFLICT (name) DO NOTHING;
