-- Recovery windows: from when to when any moment can be brought back: row security, privileges, triggers

REVOKE ALL ON vrm_private.archived_stretches FROM PUBLIC, anon, authenticated, service_role;
ALTER TABLE vrm_private.archived_stretches ENABLE ROW LEVEL SECURITY;
