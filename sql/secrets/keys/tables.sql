-- Keys: the keyring, subjects' keys, destroying and shredding: types and tables

CREATE TABLE IF NOT EXISTS vrm_private.keyring (
    key_id bigint PRIMARY KEY CONSTRAINT key_id_positive CHECK (key_id > 0),
    purpose text NOT NULL CONSTRAINT known_purpose CHECK (purpose IN ('data', 'blind_index')),
    state text NOT NULL
        CONSTRAINT known_state CHECK (state IN ('active', 'decrypt_only', 'destroyed')),
    kek_id text NOT NULL,
    wrapped bytea CONSTRAINT wrapped_unless_destroyed CHECK ((wrapped IS NULL) = (state = 'destroyed')),
    created_at timestamptz NOT NULL DEFAULT now(),
    switched_xid xid8,
    destroyed_at timestamptz
);
CREATE UNIQUE INDEX IF NOT EXISTS keyring_active ON vrm_private.keyring (purpose)
    WHERE state = 'active';
COMMENT ON TABLE vrm_private.keyring IS 'keys, wrapped by a master key that is not in the database';
COMMENT ON INDEX vrm_private.keyring_active IS 'one active key of a purpose';
COMMENT ON COLUMN vrm_private.keyring.key_id IS 'computed from the key, so it names no other';
COMMENT ON COLUMN vrm_private.keyring.purpose IS 'data: seals values; blind_index: keyed hashes';
COMMENT ON COLUMN vrm_private.keyring.state IS 'active: seals and opens; decrypt_only: opens; destroyed';
COMMENT ON COLUMN vrm_private.keyring.kek_id IS 'id of the master key that wraps it';
COMMENT ON COLUMN vrm_private.keyring.wrapped IS 'nonce, key and tag; null once destroyed';
COMMENT ON COLUMN vrm_private.keyring.created_at IS 'when it was made or imported';
COMMENT ON COLUMN vrm_private.keyring.switched_xid IS 'transaction that made another key the active one';
COMMENT ON COLUMN vrm_private.keyring.destroyed_at IS 'when it was destroyed';

CREATE TABLE IF NOT EXISTS vrm_private.subject_keys (
    subject uuid PRIMARY KEY,
    salt bytea NOT NULL CONSTRAINT salt_length CHECK (length(salt) = 24),
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE vrm_private.subject_keys IS
    'what the keys of single users are derived with: without the row, their sealed values are noise';
COMMENT ON COLUMN vrm_private.subject_keys.subject IS 'the user';
COMMENT ON COLUMN vrm_private.subject_keys.salt IS 'random; goes into the derivation';
COMMENT ON COLUMN vrm_private.subject_keys.created_at IS 'when the user''s first value was sealed';
