-- Partitions of the archive in files outside of the database: row security, privileges

ALTER TABLE vrm.cold_archive ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm.cold_archive FROM PUBLIC, anon, authenticated;
GRANT SELECT ON vrm.cold_archive TO service_role;
