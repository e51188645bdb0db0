-- Users' own metrics, and what judges have said of calls: row security, privileges, triggers

CREATE TRIGGER set_updated_at BEFORE UPDATE ON vrm.metrics
    FOR EACH ROW EXECUTE FUNCTION vrm.set_updated_at();
COMMENT ON TRIGGER set_updated_at ON vrm.metrics IS 'keeps updated_at';
CREATE TRIGGER check_lengths BEFORE INSERT OR UPDATE ON vrm.metrics
    FOR EACH ROW WHEN (NEW.name = '' OR length(NEW.name) > 200 OR NEW.prompt = '' OR length(NEW.prompt) > 20000)
    EXECUTE FUNCTION vrm_private.refuse_length('name', '1', '200', 'prompt', '1', '20000');
COMMENT ON TRIGGER check_lengths ON vrm.metrics IS 'says what the limits are';

ALTER TABLE vrm.metrics ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm.metrics FROM PUBLIC, anon, authenticated;
GRANT SELECT, DELETE, INSERT (user_id, id, name, prompt, created_at, updated_at), UPDATE (user_id, name, prompt)
    ON vrm.metrics TO authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON vrm.metrics TO service_role;
CREATE POLICY "users manage their own metrics" ON vrm.metrics
    FOR ALL TO authenticated
    USING (user_id = vrm.uid())
    WITH CHECK (user_id = vrm.uid());
COMMENT ON POLICY "users manage their own metrics" ON vrm.metrics IS 'own rows only';
CREATE POLICY "ids and times are the server's" ON vrm.metrics AS RESTRICTIVE FOR INSERT TO authenticated
    WITH CHECK (id > vrm.uuid7(statement_timestamp() - interval '10 ms') AND substr(id::text, 15, 1) = '7'
                AND created_at = now() AND updated_at = now());
COMMENT ON POLICY "ids and times are the server's" ON vrm.metrics IS
    'who inserts may name such columns, and choose none';

ALTER TABLE vrm.metric_results ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm.metric_results FROM PUBLIC, anon, authenticated;
GRANT SELECT, DELETE ON vrm.metric_results TO authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON vrm.metric_results TO service_role;
CREATE POLICY "users manage the results of their metrics" ON vrm.metric_results
    FOR ALL TO authenticated
    USING (user_id = vrm.uid())
    WITH CHECK (user_id = vrm.uid());
COMMENT ON POLICY "users manage the results of their metrics" ON vrm.metric_results IS 'own rows only';
