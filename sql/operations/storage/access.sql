-- Storage: room on disk, and the trend of its use: row security, privileges, triggers

REVOKE ALL ON vrm.storage_samples FROM PUBLIC, anon, authenticated;
GRANT SELECT ON vrm.storage_samples TO pg_monitor, service_role;

ALTER TABLE vrm.storage_samples ENABLE ROW LEVEL SECURITY;
CREATE POLICY "monitors read all" ON vrm.storage_samples FOR SELECT TO pg_monitor USING (true);
COMMENT ON POLICY "monitors read all" ON vrm.storage_samples IS 'nothing of a tenant is in it';
