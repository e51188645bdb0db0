-- Storage: room on disk, and the trend of its use: row security, privileges, triggers

REVOKE ALL ON vrm.storage_samples FROM PUBLIC, anon, authenticated;
GRANT SELECT ON vrm.storage_samples TO pg_monitor, service_role;
