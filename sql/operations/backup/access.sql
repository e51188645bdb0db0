-- Backup: what was backed up, what would be lost, restore points and drills: row security, privileges, triggers

REVOKE ALL ON vrm.backups, vrm.backup_repositories, vrm.restore_points, vrm.restore_drills, vrm.backup_runs,
    vrm_private.fingerprints
    FROM PUBLIC, anon, authenticated;
GRANT SELECT ON vrm.backups, vrm.backup_repositories, vrm.restore_points, vrm.restore_drills, vrm.backup_runs
    TO pg_monitor, service_role;

ALTER TABLE vrm.backups ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.backup_repositories ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.restore_points ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.restore_drills ENABLE ROW LEVEL SECURITY;
CREATE POLICY "monitors read all" ON vrm.backups FOR SELECT TO pg_monitor USING (true);
COMMENT ON POLICY "monitors read all" ON vrm.backups IS 'nothing of a tenant is in it';
CREATE POLICY "monitors read all" ON vrm.backup_repositories FOR SELECT TO pg_monitor USING (true);
COMMENT ON POLICY "monitors read all" ON vrm.backup_repositories IS 'nothing of a tenant is in it';
CREATE POLICY "monitors read all" ON vrm.restore_points FOR SELECT TO pg_monitor USING (true);
COMMENT ON POLICY "monitors read all" ON vrm.restore_points IS 'nothing of a tenant is in it';
CREATE POLICY "monitors read all" ON vrm.restore_drills FOR SELECT TO pg_monitor USING (true);
COMMENT ON POLICY "monitors read all" ON vrm.restore_drills IS 'nothing of a tenant is in it';
ALTER TABLE vrm.backup_runs ENABLE ROW LEVEL SECURITY;
CREATE POLICY "monitors read all" ON vrm.backup_runs FOR SELECT TO pg_monitor USING (true);
COMMENT ON POLICY "monitors read all" ON vrm.backup_runs IS 'nothing of a tenant is in it';
