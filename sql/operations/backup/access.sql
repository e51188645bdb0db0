-- Backup: what was backed up, what would be lost, restore points and drills: row security, privileges, triggers

REVOKE ALL ON vrm.backups, vrm.restore_points, vrm.restore_drills, vrm_private.fingerprints
    FROM PUBLIC, anon, authenticated;
GRANT SELECT ON vrm.backups, vrm.restore_points, vrm.restore_drills TO pg_monitor, service_role;
