-- Sealed values: keys for external services, recordings of calls ----------------------------------

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

CREATE TABLE IF NOT EXISTS vrm.call_recordings (
    user_id uuid NOT NULL,
    id uuid NOT NULL,
    run_id uuid NOT NULL,
    object_key text NOT NULL CONSTRAINT object_key_length CHECK (length(object_key) BETWEEN 1 AND 1024),
    bytes bigint NOT NULL CONSTRAINT bytes_not_negative CHECK (bytes >= 0),
    sha256 bytea NOT NULL CONSTRAINT sha256_length CHECK (length(sha256) = 32),
    data_key vrm.sealed,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    keep interval CONSTRAINT keep_positive CHECK (keep > '0'),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, run_id) REFERENCES vrm.test_runs (user_id, id) ON DELETE CASCADE
);
ALTER TABLE vrm.call_recordings ALTER COLUMN id SET DEFAULT vrm.uuid7();
ALTER TABLE vrm.call_recordings ALTER COLUMN data_key SET STORAGE EXTERNAL;
CREATE INDEX IF NOT EXISTS call_recordings_run ON vrm.call_recordings (user_id, run_id);
CREATE INDEX IF NOT EXISTS call_recordings_age ON vrm.call_recordings USING brin (recorded_at);
COMMENT ON TABLE vrm.call_recordings IS 'sound of calls: what the object store holds, and the key that opens it';
COMMENT ON INDEX vrm.call_recordings_run IS 'recordings of a call';
COMMENT ON INDEX vrm.call_recordings_age IS 'recordings by age, for retention';
COMMENT ON COLUMN vrm.call_recordings.user_id IS 'owner of the call';
COMMENT ON COLUMN vrm.call_recordings.id IS 'the recording';
COMMENT ON COLUMN vrm.call_recordings.run_id IS 'the call';
COMMENT ON COLUMN vrm.call_recordings.object_key IS 'name in the object store';
COMMENT ON COLUMN vrm.call_recordings.bytes IS 'size in bytes';
COMMENT ON COLUMN vrm.call_recordings.sha256 IS 'SHA-256 of the object as stored';
COMMENT ON COLUMN vrm.call_recordings.data_key IS 'key that the object is encrypted with, sealed';
COMMENT ON COLUMN vrm.call_recordings.recorded_at IS 'when it was recorded';
COMMENT ON COLUMN vrm.call_recordings.keep IS 'how long it is kept; null for as long as the policy "recordings" says';

ALTER TABLE vrm.api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.call_recordings ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm.api_keys, vrm.call_recordings FROM PUBLIC, anon, authenticated;
-- all but the sealed values, which only functions open
GRANT SELECT (user_id, id, service, key_hint, description, created_at, last_used_at),
      UPDATE (description)
    ON vrm.api_keys TO authenticated;
GRANT SELECT (user_id, id, run_id, object_key, bytes, sha256, recorded_at, keep)
    ON vrm.call_recordings TO authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON vrm.api_keys, vrm.call_recordings TO service_role;
CREATE POLICY "users manage their own API keys" ON vrm.api_keys
    FOR ALL TO authenticated
    USING (user_id = vrm.uid())
    WITH CHECK (user_id = vrm.uid());
COMMENT ON POLICY "users manage their own API keys" ON vrm.api_keys IS 'own rows only';
CREATE POLICY "users read the recordings of their calls" ON vrm.call_recordings
    FOR SELECT TO authenticated
    USING (user_id = vrm.uid());
COMMENT ON POLICY "users read the recordings of their calls" ON vrm.call_recordings IS 'own rows only';
