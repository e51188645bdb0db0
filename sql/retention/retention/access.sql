-- Retention: what is due, and runs that take it away: row security, privileges, triggers

ALTER TABLE vrm.retention_policies ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.retention_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.retention_refused ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm.retention_policies, vrm.retention_runs, vrm.retention_refused FROM PUBLIC, anon, authenticated;

-- all but the floor
GRANT SELECT, UPDATE (keep, enabled, every, batch_rows, batch_target, nice_ratio, max_lag, max_runtime, note,
    referenced)
    ON vrm.retention_policies TO service_role;
GRANT SELECT ON vrm.retention_runs, vrm.retention_refused TO service_role;

-- By what it means at any time of the year: 360 days compare as equal to a year.
ALTER TABLE vrm.retention_policies ADD CONSTRAINT keep_not_below_floor
    CHECK (vrm_private.is_as_long(keep, min_keep));
COMMENT ON CONSTRAINT keep_not_below_floor ON vrm.retention_policies IS
    'whatever the day, nothing goes before the floor';
