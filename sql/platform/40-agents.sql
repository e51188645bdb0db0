-- Agents and test cases -------------------------------------------------------------------------

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
CREATE UNIQUE INDEX IF NOT EXISTS agents_agent_id ON vrm.agents (user_id, agent_id)
    WHERE deleted_at IS NULL;

COMMENT ON TABLE vrm.agents IS 'voice agents under test';
COMMENT ON INDEX vrm.agents_agent_id IS 'one agent of a user under one name';
COMMENT ON CONSTRAINT connection_details_shape ON vrm.agents IS 'vrm.connection_details_error() says what is wrong';
COMMENT ON COLUMN vrm.agents.user_id IS 'owner';
COMMENT ON COLUMN vrm.agents.id IS 'the agent';
COMMENT ON COLUMN vrm.agents.agent_id IS 'the owner''s name for it';
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
    PRIMARY KEY (user_id, id)
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

-- Only once: a template that the DBA has deleted does not come back.
INSERT INTO vrm.test_case_templates (name, user_persona, scenario, evaluator_metrics)
SELECT name, user_persona::jsonb, scenario::jsonb, evaluator_metrics::jsonb
FROM (VALUES
    ('{agent}: friendly caller',
     '{"mood": "friendly", "patience": "high", "speech": "clear"}',
     '{"goal": "get a routine request done", "opening": "Hi, I hope you can help me with something."}',
     '["task_completion", "politeness"]'),
    ('{agent}: impatient caller',
     '{"mood": "irritated", "patience": "low", "speech": "fast, interrupts"}',
     '{"goal": "get a refund quickly", "opening": "I have been waiting for ten minutes already."}',
     '["task_completion", "de_escalation"]'),
    ('{agent}: caller who is hard to understand',
     '{"mood": "calm", "patience": "high", "speech": "background noise, half sentences"}',
     '{"goal": "change an appointment", "opening": "Hello? Can you hear me? It is about Thursday."}',
     '["clarification", "fallback_prompt_used"]')
    ) AS template (name, user_persona, scenario, evaluator_metrics)
WHERE NOT EXISTS (SELECT FROM vrm_private.platform_history)
ON CONFLICT (name) DO NOTHING;

CREATE TRIGGER set_updated_at BEFORE UPDATE ON vrm.agents
    FOR EACH ROW EXECUTE FUNCTION vrm.set_updated_at();
COMMENT ON TRIGGER set_updated_at ON vrm.agents IS 'keeps updated_at';
CREATE TRIGGER set_updated_at BEFORE UPDATE ON vrm.test_cases
    FOR EACH ROW EXECUTE FUNCTION vrm.set_updated_at();
COMMENT ON TRIGGER set_updated_at ON vrm.test_cases IS 'keeps updated_at';

ALTER TABLE vrm.agents ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.test_cases ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm.agents, vrm.test_cases, vrm.test_case_templates FROM PUBLIC, anon, authenticated;
-- never id (clients do not choose ids), never timestamps
GRANT SELECT, DELETE,
      INSERT (user_id, agent_id, agent_type, connection_details, direction, persona, scenario),
      UPDATE (agent_id, agent_type, connection_details, direction, persona, scenario)
    ON vrm.agents TO authenticated;
GRANT SELECT, DELETE,
      INSERT (user_id, name, user_persona, scenario, evaluator_metrics, is_shared),
      UPDATE (name, user_persona, scenario, evaluator_metrics, is_shared)
    ON vrm.test_cases TO authenticated;
GRANT SELECT ON vrm.test_case_templates TO authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON vrm.agents, vrm.test_cases, vrm.test_case_templates
    TO service_role;

CREATE POLICY "users manage their own agents" ON vrm.agents
    FOR ALL TO authenticated
    USING (user_id = vrm.uid())
    WITH CHECK (user_id = vrm.uid());
COMMENT ON POLICY "users manage their own agents" ON vrm.agents IS 'own rows only';

CREATE POLICY "users read their own and shared test cases" ON vrm.test_cases
    FOR SELECT TO authenticated
    USING (user_id = vrm.uid() OR is_shared);
COMMENT ON POLICY "users read their own and shared test cases" ON vrm.test_cases IS
    'own rows, and what others share';
CREATE POLICY "users add their own test cases" ON vrm.test_cases
    FOR INSERT TO authenticated
    WITH CHECK (user_id = vrm.uid());
COMMENT ON POLICY "users add their own test cases" ON vrm.test_cases IS 'own rows only';
CREATE POLICY "users change their own test cases" ON vrm.test_cases
    FOR UPDATE TO authenticated
    USING (user_id = vrm.uid())
    WITH CHECK (user_id = vrm.uid());
COMMENT ON POLICY "users change their own test cases" ON vrm.test_cases IS 'own rows only';
CREATE POLICY "users delete their own test cases" ON vrm.test_cases
    FOR DELETE TO authenticated
    USING (user_id = vrm.uid());
COMMENT ON POLICY "users delete their own test cases" ON vrm.test_cases IS 'own rows only';

-- Every API function begins with this: who calls?
CREATE OR REPLACE FUNCTION vrm_private.caller() RETURNS uuid
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    caller uuid := vrm.uid();
    problem text := vrm.account_problem();
BEGIN
    IF caller IS NULL THEN
        RAISE EXCEPTION 'nobody is signed in'
            USING ERRCODE = 'invalid_authorization_specification',
                  HINT = 'Sign in within the transaction; SELECT vrm.uid(); tells whom the database sees.';
    END IF;
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION '%', problem
            USING ERRCODE = 'insufficient_privilege',
                  HINT = 'SELECT vrm.account_problem(); tells when it is gone.';
    END IF;
    RETURN caller;
END
$$;
COMMENT ON FUNCTION vrm_private.caller() IS 'the person who calls; an error when there is none';
REVOKE EXECUTE ON FUNCTION vrm_private.caller() FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm_private.check_text(name text, value text, maximum integer, required boolean)
    RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF value IS NULL AND required OR value = '' AND required OR length(value) > maximum THEN
        RAISE EXCEPTION '% must be a text of % to % characters', name, required::integer, maximum
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Got %s.', coalesce(length(value) || ' characters', 'null')),
                  HINT = 'The limits are in doc/data-architecture.md.';
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.check_text(text, text, integer, boolean) IS
    'an error when an argument is too long, or missing where it is required';
REVOKE EXECUTE ON FUNCTION vrm_private.check_text(text, text, integer, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm.create_agent(
    agent_id text,
    agent_type text DEFAULT NULL,
    connection_details jsonb DEFAULT NULL,
    direction vrm.call_direction DEFAULT NULL,
    persona text DEFAULT NULL,
    scenario text DEFAULT NULL
) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owner uuid := vrm_private.caller();
    wrong text := vrm.connection_details_error(connection_details);
    made uuid;
BEGIN
    PERFORM vrm_private.check_text('agent_id', agent_id, 200, true),
            vrm_private.check_text('agent_type', agent_type, 200, false),
            vrm_private.check_text('persona', persona, 20000, false),
            vrm_private.check_text('scenario', scenario, 20000, false);
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'connection_details are not valid'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = wrong,
                  HINT = 'SELECT vrm.connection_details_error(...) tells whether a document will do.';
    END IF;
    INSERT INTO vrm.agents (user_id, agent_id, agent_type, connection_details, direction, persona, scenario)
    VALUES (owner, create_agent.agent_id, create_agent.agent_type, create_agent.connection_details,
            create_agent.direction, create_agent.persona, create_agent.scenario)
    RETURNING id INTO made;

    INSERT INTO vrm.test_cases (user_id, name, user_persona, scenario, evaluator_metrics)
    SELECT owner, left(replace(t.name, '{agent}', create_agent.agent_id), 200), t.user_persona, t.scenario,
           t.evaluator_metrics
    FROM vrm.test_case_templates t
    WHERE t.enabled
    ORDER BY t.name;
    RETURN made;
END
$$;
COMMENT ON FUNCTION vrm.create_agent(text, text, jsonb, vrm.call_direction, text, text) IS
    'makes an agent of the caller, and its default test cases from vrm.test_case_templates; returns its id';
REVOKE EXECUTE ON FUNCTION vrm.create_agent(text, text, jsonb, vrm.call_direction, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.create_agent(text, text, jsonb, vrm.call_direction, text, text) TO authenticated;

CREATE OR REPLACE FUNCTION vrm.delete_agent(agent_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owner uuid := vrm_private.caller();
BEGIN
    UPDATE vrm.agents a SET deleted_at = now()
    WHERE a.user_id = owner AND a.id = delete_agent.agent_id AND a.deleted_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'agent "%" does not exist', delete_agent.agent_id
            USING ERRCODE = 'no_data_found',
                  HINT = 'SELECT id, agent_id FROM vrm.agents WHERE deleted_at IS NULL;';
    END IF;
END
$$;
COMMENT ON FUNCTION vrm.delete_agent(uuid) IS
    'hides an agent of the caller: it takes no more calls, its history stays';
REVOKE EXECUTE ON FUNCTION vrm.delete_agent(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.delete_agent(uuid) TO authenticated;
