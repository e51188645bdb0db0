-- Sessions and the tokens they issue: types and tables

CREATE TABLE IF NOT EXISTS vrm_private.token_keys (
    kid text PRIMARY KEY,
    private_key vrm.sealed NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE vrm_private.token_keys IS 'keys that sign our access tokens; the newest one does';
COMMENT ON COLUMN vrm_private.token_keys.kid IS 'id of the key, in vrm_private.jwt_keys, too';
COMMENT ON COLUMN vrm_private.token_keys.private_key IS 'the key in PEM, sealed with its kid as context';
COMMENT ON COLUMN vrm_private.token_keys.created_at IS 'when it was made';

CREATE TABLE IF NOT EXISTS vrm_private.sessions (
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    aal text NOT NULL CONSTRAINT aal_is_known CHECK (aal IN ('aal1', 'aal2')),
    client_ip inet,
    user_agent text CONSTRAINT user_agent_length CHECK (length(user_agent) <= 500),
    created_at timestamptz NOT NULL DEFAULT now(),
    refreshed_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz,
    PRIMARY KEY (user_id, id)
);
ALTER TABLE vrm_private.sessions ALTER COLUMN id SET DEFAULT vrm.uuid7();
COMMENT ON TABLE vrm_private.sessions IS 'who is signed in; refreshed or gone within 30 days';
COMMENT ON COLUMN vrm_private.sessions.user_id IS 'whose';
COMMENT ON COLUMN vrm_private.sessions.id IS 'the session, claim session_id of its tokens';
COMMENT ON COLUMN vrm_private.sessions.aal IS 'aal1 after a password, aal2 after a second factor';
COMMENT ON COLUMN vrm_private.sessions.client_ip IS 'where from';
COMMENT ON COLUMN vrm_private.sessions.user_agent IS 'with what';
COMMENT ON COLUMN vrm_private.sessions.created_at IS 'since when';
COMMENT ON COLUMN vrm_private.sessions.refreshed_at IS 'when its refresh token was last used';
COMMENT ON COLUMN vrm_private.sessions.revoked_at IS 'when it was ended; null while it lives';

CREATE TABLE IF NOT EXISTS vrm_private.refresh_tokens (
    user_id uuid NOT NULL,
    session_id uuid NOT NULL,
    counter bigint NOT NULL,
    token_hash bytea NOT NULL CONSTRAINT token_hash_is_sha256 CHECK (length(token_hash) = 32),
    PRIMARY KEY (user_id, session_id, counter),
    FOREIGN KEY (user_id, session_id) REFERENCES vrm_private.sessions (user_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE vrm_private.refresh_tokens IS
    'refresh tokens given out; used ones stay, so that a second use is noticed';
COMMENT ON COLUMN vrm_private.refresh_tokens.user_id IS 'whose';
COMMENT ON COLUMN vrm_private.refresh_tokens.session_id IS 'of which session';
COMMENT ON COLUMN vrm_private.refresh_tokens.counter IS 'how many came before it';
COMMENT ON COLUMN vrm_private.refresh_tokens.token_hash IS 'SHA-256 of the token, which is kept nowhere';

CREATE TABLE IF NOT EXISTS vrm_private.devices (
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    password_generation text NOT NULL,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, id)
);
COMMENT ON TABLE vrm_private.devices IS
    'where people have signed in: a device''s attempts are counted apart from those of strangers';
COMMENT ON COLUMN vrm_private.devices.user_id IS 'who';
COMMENT ON COLUMN vrm_private.devices.id IS 'the device; its token proves it';
COMMENT ON COLUMN vrm_private.devices.password_generation IS 'a stranger''s with any other password';
COMMENT ON COLUMN vrm_private.devices.expires_at IS 'a stranger''s from then on';
COMMENT ON COLUMN vrm_private.devices.created_at IS 'when somebody first signed in there';
