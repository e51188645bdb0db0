-- Password resets: row security, privileges, triggers

REVOKE ALL ON vrm_private.password_reset_tokens FROM PUBLIC, anon, authenticated;

ALTER TABLE vrm_private.password_reset_tokens ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm_private.password_reset_requests FROM PUBLIC, anon, authenticated, service_role;

ALTER TABLE vrm_private.password_reset_requests ENABLE ROW LEVEL SECURITY;
