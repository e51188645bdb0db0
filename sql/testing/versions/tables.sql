-- Versions of agents: types and tables

CREATE TABLE IF NOT EXISTS vrm.agent_versions (
    user_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    version integer NOT NULL CONSTRAINT version_from_one CHECK (version >= 1),
    agent_type text,
    connection_details jsonb,
    direction vrm.call_direction,
    persona text,
    scenario text,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, agent_id, version),
    FOREIGN KEY (user_id, agent_id) REFERENCES vrm.agents (user_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE vrm.agent_versions IS 'what each agent has been, one row per change; nobody changes them';
COMMENT ON COLUMN vrm.agent_versions.user_id IS 'owner';
COMMENT ON COLUMN vrm.agent_versions.agent_id IS 'the agent: vrm.agents.id';
COMMENT ON COLUMN vrm.agent_versions.version IS 'counts from 1; the highest is what the agent is now';
COMMENT ON COLUMN vrm.agent_versions.agent_type IS 'what kind of agent it was';
COMMENT ON COLUMN vrm.agent_versions.connection_details IS 'voice, prompts and what the provider needed';
COMMENT ON COLUMN vrm.agent_versions.direction IS 'took calls or made them';
COMMENT ON COLUMN vrm.agent_versions.persona IS 'who the agent was, in words';
COMMENT ON COLUMN vrm.agent_versions.scenario IS 'what the agent was for, in words';
COMMENT ON COLUMN vrm.agent_versions.created_at IS 'when the agent became so';

-- No foreign key: its check would lock the version's row for each call.
ALTER TABLE vrm.test_runs ADD COLUMN IF NOT EXISTS agent_version integer;
COMMENT ON COLUMN vrm.test_runs.agent_version IS
    'version of the agent that it ran with: vrm.agent_versions; null as long as it is queued for any';
ALTER TABLE vrm_private.test_runs_archive ADD COLUMN IF NOT EXISTS agent_version integer;
COMMENT ON COLUMN vrm_private.test_runs_archive.agent_version IS 'version of the agent that it ran with';
