-- Agents and test cases

-- Of a long name the agent's part is cut, so that cases of one agent keep names of their own.
CREATE OR REPLACE FUNCTION vrm_private.name_of_case(template text, agent text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT left(replace(template, '{agent}', left(agent, greatest(0, 207 - length(template)))), 200)
$$;
COMMENT ON FUNCTION vrm_private.name_of_case(text, text) IS
    'what the case that a template makes for an agent is called';
REVOKE EXECUTE ON FUNCTION vrm_private.name_of_case(text, text) FROM PUBLIC;

-- Whoever adds an agent, by create_agent() or by INSERT; one that ON CONFLICT updates has its cases already.  So has
-- one that had this name before: they may have been edited since, and stay.
CREATE OR REPLACE FUNCTION vrm_private.make_default_test_cases() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO vrm.test_cases (user_id, name, user_persona, scenario, evaluator_metrics)
    SELECT NEW.user_id, vrm_private.name_of_case(t.name, NEW.agent_id), t.user_persona, t.scenario,
           t.evaluator_metrics
    FROM vrm.test_case_templates t
    WHERE t.enabled
    ORDER BY t.name
    ON CONFLICT ON CONSTRAINT test_cases_name DO NOTHING;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.make_default_test_cases() IS
    'trigger: the default test cases of a new agent, from vrm.test_case_templates';
REVOKE EXECUTE ON FUNCTION vrm_private.make_default_test_cases() FROM PUBLIC;

-- An agent of the same name may have been deleted before, hence the number.
CREATE OR REPLACE FUNCTION vrm_private.free_agent_name() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    deleted integer := 1;
    name text;
BEGIN
    LOOP
        name := format('%s (deleted%s)', left(OLD.agent_id, 180), CASE WHEN deleted > 1 THEN ' ' || deleted END);
        EXIT WHEN NOT EXISTS (SELECT FROM vrm.agents a WHERE a.user_id = NEW.user_id AND a.agent_id = name);
        deleted := deleted + 1;
    END LOOP;
    NEW.agent_id := name;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION vrm_private.free_agent_name() IS 'trigger: a deleted agent leaves its name to others';
REVOKE EXECUTE ON FUNCTION vrm_private.free_agent_name() FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm_private.check_connection_details() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wrong text := vrm.connection_details_error(NEW.connection_details);
BEGIN
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'connection_details are not valid'
            USING ERRCODE = 'check_violation', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME,
                  COLUMN = 'connection_details', CONSTRAINT = 'connection_details_shape', DETAIL = wrong,
                  HINT = 'SELECT vrm.connection_details_error(...) tells whether a document is valid.';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION vrm_private.check_connection_details() IS
    'trigger: refuses a document of another shape, with the place';
REVOKE EXECUTE ON FUNCTION vrm_private.check_connection_details() FROM PUBLIC;

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
                  HINT = 'SELECT vrm.connection_details_error(...) tells whether a document is valid.';
    END IF;
    INSERT INTO vrm.agents (user_id, agent_id, agent_type, connection_details, direction, persona, scenario)
    VALUES (owner, create_agent.agent_id, create_agent.agent_type, create_agent.connection_details,
            create_agent.direction, create_agent.persona, create_agent.scenario)
    ON CONFLICT DO NOTHING
    RETURNING id INTO made;
    IF made IS NULL THEN
        RAISE EXCEPTION 'there is an agent of this name already'
            USING ERRCODE = 'unique_violation',
                  DETAIL = format('Agent "%s".', create_agent.agent_id),
                  HINT = 'SELECT id, agent_id FROM vrm.agents WHERE deleted_at IS NULL;';
    END IF;
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
