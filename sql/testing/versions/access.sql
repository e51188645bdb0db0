-- Versions of agents: row security, privileges, triggers

SELECT vrm_private.catch_up_versions();

CREATE TRIGGER record_first_version AFTER INSERT ON vrm.agents
    FOR EACH ROW EXECUTE FUNCTION vrm_private.record_agent_version();
COMMENT ON TRIGGER record_first_version ON vrm.agents IS 'every agent has a version';
CREATE TRIGGER record_version AFTER UPDATE ON vrm.agents
    FOR EACH ROW
    WHEN (OLD.agent_type IS DISTINCT FROM NEW.agent_type OR OLD.direction IS DISTINCT FROM NEW.direction
          OR OLD.connection_details IS DISTINCT FROM NEW.connection_details
          OR OLD.persona IS DISTINCT FROM NEW.persona OR OLD.scenario IS DISTINCT FROM NEW.scenario)
    EXECUTE FUNCTION vrm_private.record_agent_version();
COMMENT ON TRIGGER record_version ON vrm.agents IS 'each change of what an agent is makes a version';
CREATE TRIGGER keep_agent_version BEFORE UPDATE OR DELETE ON vrm.agent_versions
    FOR EACH ROW EXECUTE FUNCTION vrm_private.keep_agent_version();
COMMENT ON TRIGGER keep_agent_version ON vrm.agent_versions IS 'versions stay as they are';
CREATE TRIGGER keep_agent_versions AFTER TRUNCATE ON vrm.agent_versions
    FOR EACH STATEMENT EXECUTE FUNCTION vrm_private.keep_agent_version();
COMMENT ON TRIGGER keep_agent_versions ON vrm.agent_versions IS 'versions stay as they are';

-- A queued call may say which version it is for; else it takes the one that is there when it begins.
CREATE TRIGGER set_agent_version BEFORE INSERT ON vrm.test_runs
    FOR EACH ROW WHEN (NEW.agent_version IS NULL AND NEW.agent_id IS NOT NULL AND NEW.status <> 'queued')
    EXECUTE FUNCTION vrm_private.set_agent_version();
COMMENT ON TRIGGER set_agent_version ON vrm.test_runs IS 'calls know what their agent was';
CREATE TRIGGER set_agent_version_of_queued BEFORE UPDATE OF status ON vrm.test_runs
    FOR EACH ROW WHEN (NEW.agent_version IS NULL AND NEW.agent_id IS NOT NULL
                       AND OLD.status = 'queued' AND NEW.status = 'running')
    EXECUTE FUNCTION vrm_private.set_agent_version();
COMMENT ON TRIGGER set_agent_version_of_queued ON vrm.test_runs IS 'calls know what their agent was';

ALTER TABLE vrm.agent_versions ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm.agent_versions FROM PUBLIC, anon, authenticated;
GRANT SELECT ON vrm.agent_versions TO authenticated, service_role;
CREATE POLICY "users read the versions of their agents" ON vrm.agent_versions
    FOR SELECT TO authenticated
    USING (user_id = vrm.uid());
COMMENT ON POLICY "users read the versions of their agents" ON vrm.agent_versions IS 'own rows only';
