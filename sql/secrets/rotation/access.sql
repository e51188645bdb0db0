-- Rotating keys: row security, privileges, triggers

REVOKE ALL ON vrm_private.key_rotations FROM PUBLIC, anon, authenticated, service_role;
