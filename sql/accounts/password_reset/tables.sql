-- Password resets: types and tables

CREATE TABLE IF NOT EXISTS vrm_private.password_reset_tokens (
    user_id uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    token_hash bytea NOT NULL CONSTRAINT token_hash_is_sha256 CHECK (length(token_hash) = 32),
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, id)
);
ALTER TABLE vrm_private.password_reset_tokens ALTER COLUMN id SET DEFAULT vrm.uuid7();
COMMENT ON TABLE vrm_private.password_reset_tokens IS
    'password resets that were asked for; a row is deleted when its token is used';
COMMENT ON COLUMN vrm_private.password_reset_tokens.user_id IS 'whose password';
COMMENT ON COLUMN vrm_private.password_reset_tokens.id IS 'the request';
COMMENT ON COLUMN vrm_private.password_reset_tokens.token_hash IS 'SHA-256 of the token, which is kept nowhere';
COMMENT ON COLUMN vrm_private.password_reset_tokens.expires_at IS 'worthless from then on';
COMMENT ON COLUMN vrm_private.password_reset_tokens.created_at IS 'when it was asked for';

CREATE TABLE IF NOT EXISTS vrm_private.password_reset_requests (
    id uuid PRIMARY KEY,
    email text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE vrm_private.password_reset_requests ALTER COLUMN id SET DEFAULT vrm.uuid7();
COMMENT ON TABLE vrm_private.password_reset_requests IS
    'resets asked for and not yet taken by the mailer; of anybody, known or not';
COMMENT ON COLUMN vrm_private.password_reset_requests.id IS 'the request';
COMMENT ON COLUMN vrm_private.password_reset_requests.email IS 'address given';
COMMENT ON COLUMN vrm_private.password_reset_requests.requested_at IS 'when';
