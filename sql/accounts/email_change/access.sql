-- Another address for who is signed in: row security, privileges, triggers

REVOKE ALL ON vrm_private.email_changes FROM PUBLIC, anon, authenticated, service_role;
ALTER TABLE vrm_private.email_changes ENABLE ROW LEVEL SECURITY;
