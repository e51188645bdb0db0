-- Rotating keys: row security, privileges, triggers

REVOKE ALL ON vrm_private.key_rotations FROM PUBLIC, anon, authenticated, service_role;
REVOKE ALL ON vrm_private.sealed_contexts FROM PUBLIC, anon, authenticated, service_role;
ALTER TABLE vrm_private.sealed_contexts ENABLE ROW LEVEL SECURITY;
