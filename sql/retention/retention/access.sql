-- Retention: what is due, and runs that take it away: row security, privileges, triggers

ALTER TABLE vrm.retention_policies ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.retention_runs ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm.retention_policies, vrm.retention_runs FROM PUBLIC, anon, authenticated;

-- all but the floor
GRANT SELECT, UPDATE (keep, enabled, every, batch_rows, batch_target, nice_ratio, max_lag, max_runtime, note)
    ON vrm.retention_policies TO service_role;
GRANT SELECT ON vrm.retention_runs TO service_role;
