-- Second factors: row security, privileges, triggers

REVOKE ALL ON vrm_private.mfa_tickets, vrm_private.recovery_codes FROM PUBLIC, anon, authenticated, service_role;

ALTER TABLE vrm_private.mfa_tickets ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm_private.recovery_codes ENABLE ROW LEVEL SECURITY;
