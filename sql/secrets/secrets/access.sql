-- Sealed values and sealed columns: row security, privileges, triggers

REVOKE ALL ON vrm_private.sealed_columns FROM PUBLIC, anon, authenticated, service_role;
