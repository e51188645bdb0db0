-- Recordings of calls, and their leaving the object store: types and tables

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

-- However a row of call_recordings goes (its period, its call, its owner), the object's name stays
-- here until the object store's client says that the object is gone.
CREATE TABLE IF NOT EXISTS vrm_private.object_purges (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    user_id uuid NOT NULL,
    object_key text NOT NULL,
    queued_at timestamptz NOT NULL DEFAULT now(),
    claimed_until timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id, id)
);
CREATE INDEX IF NOT EXISTS object_purges_order ON vrm_private.object_purges (id);
COMMENT ON INDEX vrm_private.object_purges_order IS 'the oldest first, whoever they were of';
COMMENT ON TABLE vrm_private.object_purges IS 'objects that have to be deleted from the object store';
COMMENT ON COLUMN vrm_private.object_purges.id IS 'for vrm.confirm_purge()';
COMMENT ON COLUMN vrm_private.object_purges.user_id IS 'owner, who may be gone';
COMMENT ON COLUMN vrm_private.object_purges.object_key IS 'name in the object store';
COMMENT ON COLUMN vrm_private.object_purges.queued_at IS 'when its recording was deleted here';
COMMENT ON COLUMN vrm_private.object_purges.claimed_until IS 'a client is at it until then; afterwards another may be';
COMMENT ON COLUMN vrm_private.object_purges.attempts IS 'how many clients have claimed it';
