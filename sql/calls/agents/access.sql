-- Agents and test cases: row security, privileges, triggers

CREATE TRIGGER set_updated_at BEFORE UPDATE ON vrm.agents
    FOR EACH ROW EXECUTE FUNCTION vrm.set_updated_at();
COMMENT ON TRIGGER set_updated_at ON vrm.agents IS 'keeps updated_at';
CREATE TRIGGER set_updated_at BEFORE UPDATE ON vrm.test_cases
    FOR EACH ROW EXECUTE FUNCTION vrm.set_updated_at();
COMMENT ON TRIGGER set_updated_at ON vrm.test_cases IS 'keeps updated_at';
CREATE TRIGGER check_lengths BEFORE INSERT OR UPDATE ON vrm.agents
    FOR EACH ROW WHEN (NEW.agent_id = '' OR length(NEW.agent_id) > 200 OR length(NEW.agent_type) > 200
                       OR length(NEW.persona) > 20000 OR length(NEW.scenario) > 20000)
    EXECUTE FUNCTION vrm_private.refuse_length(
        'agent_id', '1', '200', 'agent_type', '0', '200', 'persona', '0', '20000', 'scenario', '0', '20000');
COMMENT ON TRIGGER check_lengths ON vrm.agents IS 'says what the limits are';
CREATE TRIGGER check_connection_details BEFORE INSERT OR UPDATE OF connection_details ON vrm.agents
    FOR EACH ROW WHEN (NEW.connection_details IS NOT NULL) EXECUTE FUNCTION vrm_private.check_connection_details();
COMMENT ON TRIGGER check_connection_details ON vrm.agents IS 'says what is wrong with them';
CREATE TRIGGER check_lengths BEFORE INSERT OR UPDATE ON vrm.test_cases
    FOR EACH ROW WHEN (length(NEW.name) NOT BETWEEN 1 AND 200)
    EXECUTE FUNCTION vrm_private.refuse_length('name', '1', '200');
COMMENT ON TRIGGER check_lengths ON vrm.test_cases IS 'says what the limits are';
CREATE TRIGGER free_agent_name BEFORE UPDATE OF deleted_at ON vrm.agents
    FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL)
    EXECUTE FUNCTION vrm_private.free_agent_name();
COMMENT ON TRIGGER free_agent_name ON vrm.agents IS 'names of deleted agents are free';
CREATE TRIGGER make_default_test_cases AFTER INSERT ON vrm.agents
    FOR EACH ROW WHEN (NEW.deleted_at IS NULL) EXECUTE FUNCTION vrm_private.make_default_test_cases();
COMMENT ON TRIGGER make_default_test_cases ON vrm.agents IS 'every agent is tried with the templates';

ALTER TABLE vrm.agents ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.test_cases ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.test_case_templates ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm.agents, vrm.test_cases, vrm.test_case_templates FROM PUBLIC, anon, authenticated;

-- Mappers of objects name every column in INSERT, most as DEFAULT, and the owner in ON CONFLICT DO UPDATE; policies
-- see to it that ids, times and owners are not chosen: an id that is given would have to be one of this moment.
GRANT SELECT, DELETE,
      INSERT (user_id, id, agent_id, agent_type, connection_details, direction, persona, scenario, created_at,
              updated_at, deleted_at),
      UPDATE (user_id, agent_id, agent_type, connection_details, direction, persona, scenario)
    ON vrm.agents TO authenticated;
GRANT SELECT, DELETE,
      INSERT (user_id, id, name, user_persona, scenario, evaluator_metrics, is_shared, created_at, updated_at),
      UPDATE (user_id, name, user_persona, scenario, evaluator_metrics, is_shared)
    ON vrm.test_cases TO authenticated;
GRANT SELECT ON vrm.test_case_templates TO authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON vrm.agents, vrm.test_cases, vrm.test_case_templates
    TO service_role;

CREATE POLICY "users manage their own agents" ON vrm.agents
    FOR ALL TO authenticated
    USING (user_id = vrm.uid())
    WITH CHECK (user_id = vrm.uid());
COMMENT ON POLICY "users manage their own agents" ON vrm.agents IS 'own rows only';
CREATE POLICY "ids and times are the server's" ON vrm.agents AS RESTRICTIVE FOR INSERT TO authenticated
    WITH CHECK (id > vrm.uuid7(statement_timestamp() - interval '10 ms') AND substr(id::text, 15, 1) = '7'
                AND created_at = now() AND updated_at = now() AND deleted_at IS NULL);
COMMENT ON POLICY "ids and times are the server's" ON vrm.agents IS
    'who inserts may name such columns, and choose none';

CREATE POLICY "users read their own and shared test cases" ON vrm.test_cases
    FOR SELECT TO authenticated
    USING (user_id = vrm.uid() OR is_shared);
COMMENT ON POLICY "users read their own and shared test cases" ON vrm.test_cases IS
    'own rows, and what others share';
CREATE POLICY "users add their own test cases" ON vrm.test_cases
    FOR INSERT TO authenticated
    WITH CHECK (user_id = vrm.uid());
COMMENT ON POLICY "users add their own test cases" ON vrm.test_cases IS 'own rows only';
CREATE POLICY "ids and times are the server's" ON vrm.test_cases AS RESTRICTIVE FOR INSERT TO authenticated
    WITH CHECK (id > vrm.uuid7(statement_timestamp() - interval '10 ms') AND substr(id::text, 15, 1) = '7'
                AND created_at = now() AND updated_at = now());
COMMENT ON POLICY "ids and times are the server's" ON vrm.test_cases IS
    'who inserts may name such columns, and choose none';
CREATE POLICY "users change their own test cases" ON vrm.test_cases
    FOR UPDATE TO authenticated
    USING (user_id = vrm.uid())
    WITH CHECK (user_id = vrm.uid());
COMMENT ON POLICY "users change their own test cases" ON vrm.test_cases IS 'own rows only';
CREATE POLICY "users delete their own test cases" ON vrm.test_cases
    FOR DELETE TO authenticated
    USING (user_id = vrm.uid());
COMMENT ON POLICY "users delete their own test cases" ON vrm.test_cases IS 'own rows only';

CREATE POLICY "everybody reads templates" ON vrm.test_case_templates FOR SELECT TO authenticated USING (true);
COMMENT ON POLICY "everybody reads templates" ON vrm.test_case_templates IS 'what every new agent is tried with';
