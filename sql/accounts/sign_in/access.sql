-- Signing up and in: row security, privileges, triggers

REVOKE ALL ON vrm_private.sign_ups FROM PUBLIC, anon, authenticated, service_role;
ALTER TABLE vrm_private.sign_ups ENABLE ROW LEVEL SECURITY;
