-- Words of calls: row security, privileges, triggers

CREATE TRIGGER queue_search AFTER INSERT ON vrm.test_runs REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION vrm_private.queue_search();
COMMENT ON TRIGGER queue_search ON vrm.test_runs IS 'what is said is found again';
CREATE TRIGGER requeue_search AFTER UPDATE OF user_id, id, agent_id, results, completed_at ON vrm.test_runs
    FOR EACH ROW WHEN (NEW.completed_at IS NOT NULL AND NEW.results IS NOT NULL)
    EXECUTE FUNCTION vrm_private.requeue_search();
COMMENT ON TRIGGER requeue_search ON vrm.test_runs IS 'also what is said at its end, or later';
CREATE TRIGGER forget_words AFTER DELETE ON vrm.test_runs
    FOR EACH ROW EXECUTE FUNCTION vrm_private.forget_words();
COMMENT ON TRIGGER forget_words ON vrm.test_runs IS 'but not once it is deleted';

ALTER TABLE vrm_private.search ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm_private.call_words ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm_private.search_queue ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.search_configs ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm_private.search, vrm_private.call_words, vrm_private.search_queue, vrm.search_configs
    FROM PUBLIC, anon, authenticated;
GRANT SELECT ON vrm.search_configs TO authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON vrm.search_configs TO service_role;
CREATE POLICY "users read how their agents are searched" ON vrm.search_configs
    FOR SELECT TO authenticated
    USING (user_id = vrm.uid());
COMMENT ON POLICY "users read how their agents are searched" ON vrm.search_configs IS 'own rows only';
