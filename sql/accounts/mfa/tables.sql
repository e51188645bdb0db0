-- Second factors: types and tables

CREATE TABLE IF NOT EXISTS vrm_private.mfa_tickets (
    token_hash bytea PRIMARY KEY CONSTRAINT token_hash_is_sha256 CHECK (length(token_hash) = 32),
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    user_agent text CONSTRAINT user_agent_length CHECK (length(user_agent) <= 500),
    expires_at timestamptz NOT NULL,
    password_generation text,
    device_id uuid
);
CREATE INDEX IF NOT EXISTS mfa_tickets_user ON vrm_private.mfa_tickets (user_id);
COMMENT ON INDEX vrm_private.mfa_tickets_user IS 'tickets of a person, who may go';
COMMENT ON TABLE vrm_private.mfa_tickets IS 'sign-ins that wait for their second factor';
COMMENT ON COLUMN vrm_private.mfa_tickets.token_hash IS 'SHA-256 of the ticket';
COMMENT ON COLUMN vrm_private.mfa_tickets.user_id IS 'whose password was right';
COMMENT ON COLUMN vrm_private.mfa_tickets.user_agent IS 'with what';
COMMENT ON COLUMN vrm_private.mfa_tickets.expires_at IS 'worthless from then on';
COMMENT ON COLUMN vrm_private.mfa_tickets.password_generation IS 'worthless with any other password';
COMMENT ON COLUMN vrm_private.mfa_tickets.device_id IS 'from which device, when it was known';

CREATE TABLE IF NOT EXISTS vrm_private.recovery_codes (
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    code_hash bytea NOT NULL CONSTRAINT code_hash_is_sha256 CHECK (length(code_hash) = 32),
    PRIMARY KEY (user_id, code_hash)
);
COMMENT ON TABLE vrm_private.recovery_codes IS
    'codes for those who have lost their authenticator; a used one is deleted';
COMMENT ON COLUMN vrm_private.recovery_codes.user_id IS 'whose';
COMMENT ON COLUMN vrm_private.recovery_codes.code_hash IS 'SHA-256 of 80 random bits';
