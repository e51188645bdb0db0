-- Archived calls, compressed: row security, privileges, triggers

ALTER TABLE vrm_private.archive_dictionaries ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.archive_compressions ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm_private.archive_dictionaries, vrm.archive_compressions FROM PUBLIC, anon, authenticated;
GRANT SELECT ON vrm.archive_compressions TO service_role;
