-- Keys of users for external services: types and tables

CREATE TABLE IF NOT EXISTS vrm.api_keys (
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    service text NOT NULL CONSTRAINT service_length CHECK (length(service) BETWEEN 1 AND 200),
    key vrm.sealed NOT NULL,
    key_hint text CONSTRAINT key_hint_length CHECK (length(key_hint) <= 4),
    description text CONSTRAINT description_length CHECK (length(description) <= 2000),
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    PRIMARY KEY (user_id, id)
);
ALTER TABLE vrm.api_keys ALTER COLUMN user_id SET DEFAULT vrm.uid();
ALTER TABLE vrm.api_keys ALTER COLUMN id SET DEFAULT vrm.uuid7();
ALTER TABLE vrm.api_keys ALTER COLUMN key SET STORAGE EXTERNAL;
CREATE UNIQUE INDEX IF NOT EXISTS api_keys_service ON vrm.api_keys (user_id, service);
COMMENT ON TABLE vrm.api_keys IS 'users'' keys for external services, sealed';
COMMENT ON INDEX vrm.api_keys_service IS 'one key of a user for a service';
COMMENT ON COLUMN vrm.api_keys.user_id IS 'owner';
COMMENT ON COLUMN vrm.api_keys.id IS 'the key''s id';
COMMENT ON COLUMN vrm.api_keys.service IS 'what the key opens';
COMMENT ON COLUMN vrm.api_keys.key IS 'the key, sealed';
COMMENT ON COLUMN vrm.api_keys.key_hint IS 'its last four characters, to tell keys apart';
COMMENT ON COLUMN vrm.api_keys.description IS 'what the owner says of it';
COMMENT ON COLUMN vrm.api_keys.created_at IS 'when it was stored';
COMMENT ON COLUMN vrm.api_keys.last_used_at IS 'when it was last used';

CREATE TABLE IF NOT EXISTS vrm.api_key_uses (
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    api_key_id uuid NOT NULL,
    service text NOT NULL,
    used_by name NOT NULL,
    used_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, id)
);
ALTER TABLE vrm.api_key_uses ALTER COLUMN id SET DEFAULT vrm.uuid7();
COMMENT ON TABLE vrm.api_key_uses IS 'every time that an API key was opened';
COMMENT ON COLUMN vrm.api_key_uses.user_id IS 'owner of the key';
COMMENT ON COLUMN vrm.api_key_uses.id IS 'the use; sorts by time';
COMMENT ON COLUMN vrm.api_key_uses.api_key_id IS 'the key, which may be gone';
COMMENT ON COLUMN vrm.api_key_uses.service IS 'what the key opens';
COMMENT ON COLUMN vrm.api_key_uses.used_by IS 'database role that asked for it';
COMMENT ON COLUMN vrm.api_key_uses.used_at IS 'when';
