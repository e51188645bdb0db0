-- Calls that wait for a runner, and runners that have one: row security, privileges, triggers

-- What was queued while the trigger was not there.
INSERT INTO vrm.run_queue (user_id, run_id)
SELECT r.user_id, r.id FROM vrm.test_runs r
WHERE r.status IN ('queued', 'running')  -- as in the index
  AND r.status = 'queued'
ON CONFLICT DO NOTHING;
CREATE TRIGGER queue_call AFTER INSERT ON vrm.test_runs
    FOR EACH ROW WHEN (NEW.status = 'queued')
    EXECUTE FUNCTION vrm_private.queue_call();
COMMENT ON TRIGGER queue_call ON vrm.test_runs IS 'queued calls wait for a runner';

ALTER TABLE vrm.run_queue ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.run_leases ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm.run_queue, vrm.run_leases FROM PUBLIC, anon, authenticated;
GRANT SELECT ON vrm.run_queue, vrm.run_leases TO authenticated, service_role;
CREATE POLICY "users see which of their calls wait" ON vrm.run_queue
    FOR SELECT TO authenticated
    USING (user_id = vrm.uid());
COMMENT ON POLICY "users see which of their calls wait" ON vrm.run_queue IS 'own rows only';
CREATE POLICY "users see who runs their calls" ON vrm.run_leases
    FOR SELECT TO authenticated
    USING (user_id = vrm.uid());
COMMENT ON POLICY "users see who runs their calls" ON vrm.run_leases IS 'own rows only';

-- No foreign keys, so by hand.
CREATE TRIGGER forget_queue AFTER DELETE ON vrm.user_profiles
    FOR EACH ROW EXECUTE FUNCTION vrm_private.forget_queue();
COMMENT ON TRIGGER forget_queue ON vrm.user_profiles IS 'what waits for a person goes with the person';
