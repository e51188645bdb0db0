-- Agents and test cases: types and tables

CREATE TYPE vrm.call_direction AS ENUM ('inbound', 'outbound');
COMMENT ON TYPE vrm.call_direction IS 'who calls whom, seen from the agent';

CREATE TABLE IF NOT EXISTS vrm.agents (
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    agent_id text NOT NULL CONSTRAINT agent_id_length CHECK (length(agent_id) BETWEEN 1 AND 200),
    agent_type text CONSTRAINT agent_type_length CHECK (length(agent_type) <= 200),
    connection_details jsonb,
    direction vrm.call_direction,
    persona text CONSTRAINT persona_length CHECK (length(persona) <= 20000),
    scenario text CONSTRAINT scenario_length CHECK (length(scenario) <= 20000),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    PRIMARY KEY (user_id, id)
);
ALTER TABLE vrm.agents ALTER COLUMN user_id SET DEFAULT vrm.uid();
ALTER TABLE vrm.agents ALTER COLUMN id SET DEFAULT vrm.uuid7();
ALTER TABLE vrm.agents ADD CONSTRAINT connection_details_shape
    CHECK (vrm.valid_connection_details(connection_details));
-- Whole, as ON CONFLICT (user_id, agent_id) finds no partial one; names of deleted agents are made free.
CREATE UNIQUE INDEX IF NOT EXISTS agents_agent_id ON vrm.agents (user_id, agent_id);

COMMENT ON TABLE vrm.agents IS 'voice agents under test';
COMMENT ON INDEX vrm.agents_agent_id IS 'one agent of a user under one name';
COMMENT ON CONSTRAINT connection_details_shape ON vrm.agents IS 'vrm.connection_details_error() says what is wrong';
COMMENT ON COLUMN vrm.agents.user_id IS 'owner';
COMMENT ON COLUMN vrm.agents.id IS 'the agent';
COMMENT ON COLUMN vrm.agents.agent_id IS 'the owner''s name for it; ends in "(deleted)" once it is';
COMMENT ON COLUMN vrm.agents.agent_type IS 'what kind of agent it is';
COMMENT ON COLUMN vrm.agents.connection_details IS
    'voice, systemPrompt, introPrompt, fallbackPrompt and what the provider needs';
COMMENT ON COLUMN vrm.agents.direction IS 'takes calls or makes them';
COMMENT ON COLUMN vrm.agents.persona IS 'who the agent is, in words';
COMMENT ON COLUMN vrm.agents.scenario IS 'what the agent is for, in words';
COMMENT ON COLUMN vrm.agents.created_at IS 'when it was made';
COMMENT ON COLUMN vrm.agents.updated_at IS 'when it was last changed';
COMMENT ON COLUMN vrm.agents.deleted_at IS 'when it was hidden; its calls stay';

CREATE TABLE IF NOT EXISTS vrm.test_cases (
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    name text NOT NULL CONSTRAINT name_length CHECK (length(name) BETWEEN 1 AND 200),
    user_persona jsonb,
    scenario jsonb,
    evaluator_metrics jsonb,
    is_shared boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, id),
    CONSTRAINT test_cases_name UNIQUE (user_id, name)
);
ALTER TABLE vrm.test_cases ALTER COLUMN user_id SET DEFAULT vrm.uid();
ALTER TABLE vrm.test_cases ALTER COLUMN id SET DEFAULT vrm.uuid7();
CREATE INDEX IF NOT EXISTS test_cases_shared ON vrm.test_cases (id) WHERE is_shared;

COMMENT ON TABLE vrm.test_cases IS 'who calls and why: what an agent is tested with';
COMMENT ON INDEX vrm.test_cases_shared IS 'cases that everybody may use';
COMMENT ON COLUMN vrm.test_cases.user_id IS 'owner';
COMMENT ON COLUMN vrm.test_cases.id IS 'the case';
COMMENT ON COLUMN vrm.test_cases.name IS 'name to show';
COMMENT ON COLUMN vrm.test_cases.user_persona IS 'who is calling';
COMMENT ON COLUMN vrm.test_cases.scenario IS 'what the caller wants';
COMMENT ON COLUMN vrm.test_cases.evaluator_metrics IS 'what a call with this case is judged by';
COMMENT ON COLUMN vrm.test_cases.is_shared IS 'everybody may read and use it; only the owner changes it';
COMMENT ON COLUMN vrm.test_cases.created_at IS 'when it was made';
COMMENT ON COLUMN vrm.test_cases.updated_at IS 'when it was last changed';

CREATE TABLE IF NOT EXISTS vrm.test_case_templates (
    name text PRIMARY KEY CONSTRAINT name_length CHECK (length(name) BETWEEN 1 AND 200),
    user_persona jsonb,
    scenario jsonb,
    evaluator_metrics jsonb,
    enabled boolean NOT NULL DEFAULT true
);
COMMENT ON TABLE vrm.test_case_templates IS
    'test cases that every new agent''s owner gets; the DBA edits them freely';
COMMENT ON COLUMN vrm.test_case_templates.name IS 'name of the case; {agent} becomes the agent''s name';
COMMENT ON COLUMN vrm.test_case_templates.user_persona IS 'who is calling';
COMMENT ON COLUMN vrm.test_case_templates.scenario IS 'what the caller wants';
COMMENT ON COLUMN vrm.test_case_templates.evaluator_metrics IS 'what a call with this case is judged by';
COMMENT ON COLUMN vrm.test_case_templates.enabled IS 'whether new agents get it';
