-- Privileges as data: row security, privileges, triggers

REVOKE ALL ON vrm_private.intended FROM PUBLIC, anon, authenticated, service_role;
ALTER TABLE vrm_private.intended ENABLE ROW LEVEL SECURITY;
