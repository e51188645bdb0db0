-- Calls brought in from other platforms: row security, privileges, triggers

CREATE TRIGGER check_lengths BEFORE INSERT OR UPDATE OF source, external_id ON vrm.call_imports
    FOR EACH ROW WHEN (NEW.source = '' OR length(NEW.source) > 200
                       OR NEW.external_id = '' OR length(NEW.external_id) > 1000)
    EXECUTE FUNCTION vrm_private.refuse_length('source', '1', '200', 'external_id', '1', '1000');
COMMENT ON TRIGGER check_lengths ON vrm.call_imports IS 'says which name is too short or too long';
CREATE TRIGGER take_report BEFORE INSERT ON vrm.call_imports
    FOR EACH ROW WHEN (NEW.raw IS NOT NULL OR NEW.payload IS NULL AND NEW.state = 'new')
    EXECUTE FUNCTION vrm_private.take_report();
COMMENT ON TRIGGER take_report ON vrm.call_imports IS 'raw text becomes a payload, as far as it is JSON';
CREATE TRIGGER retake_report BEFORE UPDATE OF source, external_id, payload, raw, agent_id ON vrm.call_imports
    FOR EACH ROW WHEN (OLD.state = NEW.state AND NEW.state IN ('pending', 'ignored', 'refused')
                       AND (OLD.source IS DISTINCT FROM NEW.source OR OLD.external_id IS DISTINCT FROM NEW.external_id
                            OR OLD.payload IS DISTINCT FROM NEW.payload OR OLD.raw IS DISTINCT FROM NEW.raw
                            OR OLD.agent_id IS DISTINCT FROM NEW.agent_id))
    EXECUTE FUNCTION vrm_private.take_report();
COMMENT ON TRIGGER retake_report ON vrm.call_imports IS 'what was corrected is read again';

ALTER TABLE vrm.call_imports ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.import_words ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm.call_imports, vrm.import_words FROM PUBLIC, anon, authenticated;
GRANT SELECT, DELETE, INSERT (user_id, source, external_id, payload, raw, agent_id),
      UPDATE (source, external_id, payload, raw, agent_id, state)
    ON vrm.call_imports TO authenticated;
GRANT SELECT ON vrm.import_words TO authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON vrm.call_imports, vrm.import_words TO service_role;

CREATE POLICY "users read their own reports" ON vrm.call_imports
    FOR SELECT TO authenticated
    USING (user_id = vrm.uid());
COMMENT ON POLICY "users read their own reports" ON vrm.call_imports IS 'own rows only';
CREATE POLICY "users put in their own reports" ON vrm.call_imports
    FOR INSERT TO authenticated
    WITH CHECK (user_id = vrm.uid() AND state IN ('new', 'refused'));
COMMENT ON POLICY "users put in their own reports" ON vrm.call_imports IS 'own rows only; what is not JSON is refused';
-- A report that has gone into a call is what keeps the next one from making a second call.
CREATE POLICY "users correct their own reports" ON vrm.call_imports
    FOR UPDATE TO authenticated
    USING (user_id = vrm.uid() AND state IN ('new', 'pending', 'ignored', 'refused'))
    WITH CHECK (user_id = vrm.uid() AND state IN ('new', 'refused'));
COMMENT ON POLICY "users correct their own reports" ON vrm.call_imports IS
    'own rows that have not gone into a call, to have them read again';
CREATE POLICY "users delete their own reports" ON vrm.call_imports
    FOR DELETE TO authenticated
    USING (user_id = vrm.uid() AND state IN ('new', 'pending', 'ignored', 'refused'));
COMMENT ON POLICY "users delete their own reports" ON vrm.call_imports IS 'own rows that have not gone into a call';
CREATE POLICY "users read the words of their reports" ON vrm.import_words
    FOR SELECT TO authenticated
    USING (user_id = vrm.uid());
COMMENT ON POLICY "users read the words of their reports" ON vrm.import_words IS 'own rows only';
