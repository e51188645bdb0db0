-- Recordings of calls, and their leaving the object store: row security, privileges, triggers

ALTER TABLE vrm.call_recordings ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm.call_recordings FROM PUBLIC, anon, authenticated;
GRANT SELECT (user_id, id, run_id, object_key, bytes, sha256, recorded_at, keep)
    ON vrm.call_recordings TO authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON vrm.call_recordings TO service_role;

CREATE POLICY "users read the recordings of their calls" ON vrm.call_recordings
    FOR SELECT TO authenticated
    USING (user_id = vrm.uid());
COMMENT ON POLICY "users read the recordings of their calls" ON vrm.call_recordings IS 'own rows only';

ALTER TABLE vrm_private.object_purges ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm_private.object_purges FROM PUBLIC, anon, authenticated;

CREATE TRIGGER queue_purges AFTER DELETE ON vrm.call_recordings REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION vrm_private.queue_purges();
COMMENT ON TRIGGER queue_purges ON vrm.call_recordings IS 'the object goes with its row';
