-- Versions of agents

-- Whoever changes an agent holds its row, so that numbers are given one after the other.
CREATE OR REPLACE FUNCTION vrm_private.record_agent_version() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO vrm.agent_versions
        (user_id, agent_id, version, agent_type, connection_details, direction, persona, scenario)
    SELECT NEW.user_id, NEW.id, coalesce(max(v.version), 0) + 1, NEW.agent_type, NEW.connection_details,
           NEW.direction, NEW.persona, NEW.scenario
    FROM vrm.agent_versions v
    WHERE v.user_id = NEW.user_id AND v.agent_id = NEW.id;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.record_agent_version() IS 'trigger: a version for each change of what an agent is';

-- Only what takes the agent itself away takes its versions along.
CREATE OR REPLACE FUNCTION vrm_private.keep_agent_version() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN  -- with their agents they may go
        IF NOT EXISTS (SELECT FROM vrm.agents) THEN
            RETURN NULL;
        END IF;
        RAISE EXCEPTION 'versions of agents cannot be emptied'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'Versions are kept as they were, as long as their agents.',
                  HINT = 'DELETE FROM vrm.agents WHERE id = ...; takes those of an agent along.';
    ELSIF TG_OP = 'DELETE'
       AND NOT EXISTS (SELECT FROM vrm.agents a WHERE a.user_id = OLD.user_id AND a.id = OLD.agent_id) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'version % of agent "%" cannot be changed', OLD.version, OLD.agent_id
        USING ERRCODE = 'object_not_in_prerequisite_state',
              DETAIL = 'Versions are kept as they were.',
              HINT = format('A changed agent is a new version: UPDATE vrm.agents SET ... WHERE id = %L;', OLD.agent_id);
END
$$;
COMMENT ON FUNCTION vrm_private.keep_agent_version() IS 'trigger: versions stay as they are, and as long as the agent';

-- A call that begins runs with what the agent is now; one that is brought in, with what it was then.
CREATE OR REPLACE FUNCTION vrm_private.set_agent_version() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    SELECT v.version INTO NEW.agent_version
    FROM vrm.agent_versions v
    WHERE v.user_id = NEW.user_id AND v.agent_id = NEW.agent_id
      AND (NEW.status = 'running' OR v.created_at <= NEW.started_at)
    ORDER BY v.version DESC
    LIMIT 1;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION vrm_private.set_agent_version() IS 'trigger: the version of its agent that a call runs with';

-- Agents that were made, or changed, while the trigger was not there.
CREATE OR REPLACE FUNCTION vrm_private.catch_up_versions() RETURNS bigint
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    WITH made AS (
        INSERT INTO vrm.agent_versions
            (user_id, agent_id, version, agent_type, connection_details, direction, persona, scenario, created_at)
        SELECT a.user_id, a.id, coalesce(v.version, 0) + 1, a.agent_type, a.connection_details, a.direction,
               a.persona, a.scenario, a.updated_at
        FROM vrm.agents a
        LEFT JOIN LATERAL (SELECT * FROM vrm.agent_versions l
                           WHERE l.user_id = a.user_id AND l.agent_id = a.id
                           ORDER BY l.version DESC LIMIT 1) AS v ON true
        WHERE v.version IS NULL
           OR (v.agent_type, v.connection_details, v.direction, v.persona, v.scenario) IS DISTINCT FROM
              (a.agent_type, a.connection_details, a.direction, a.persona, a.scenario)
        RETURNING 1
    )
    SELECT count(*) FROM made
$$;
COMMENT ON FUNCTION vrm_private.catch_up_versions() IS
    'makes versions of agents that are not what their last version says; returns how many';

CREATE OR REPLACE FUNCTION vrm_private.agent_version(owner uuid, agent_id uuid, version integer)
    RETURNS vrm.agent_versions
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found_version vrm.agent_versions;
BEGIN
    SELECT * INTO found_version
    FROM vrm.agent_versions v
    WHERE v.user_id = owner AND v.agent_id = agent_version.agent_id
      AND (agent_version.version IS NULL OR v.version = agent_version.version)
    ORDER BY v.version DESC
    LIMIT 1;
    IF NOT FOUND AND NOT EXISTS (SELECT FROM vrm.agents a
                                 WHERE a.user_id = owner AND a.id = agent_version.agent_id) THEN
        RAISE EXCEPTION 'agent "%" does not exist', coalesce(agent_id::text, 'null')
            USING ERRCODE = 'no_data_found',
                  HINT = 'SELECT id, agent_id FROM vrm.agents WHERE deleted_at IS NULL;';
    ELSIF NOT FOUND THEN
        RAISE EXCEPTION 'agent "%" has no version %', agent_id, version
            USING ERRCODE = 'no_data_found',
                  HINT = format('SELECT version, created_at FROM vrm.agent_versions WHERE agent_id = %L;', agent_id);
    END IF;
    RETURN found_version;
END
$$;
COMMENT ON FUNCTION vrm_private.agent_version(uuid, uuid, integer) IS
    'a version of a user''s agent, by default the one that it is; an error when there is none';

CREATE OR REPLACE FUNCTION vrm.agent_diff(agent_id uuid, a integer, b integer)
    RETURNS TABLE (place text, before jsonb, after jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owner uuid := vrm_private.reader();
    aside constant text[] := '{user_id,agent_id,version,created_at}';
    of_a jsonb := to_jsonb(vrm_private.agent_version(owner, agent_id, a)) - aside;
    of_b jsonb := to_jsonb(vrm_private.agent_version(owner, agent_id, b)) - aside;
BEGIN
    IF a IS NULL OR b IS NULL THEN
        RAISE EXCEPTION 'two versions are needed'
            USING ERRCODE = 'null_value_not_allowed',
                  HINT = format('SELECT version, created_at FROM vrm.agent_versions WHERE agent_id = %L;', agent_id);
    END IF;
    RETURN QUERY
        WITH RECURSIVE pair (place, before, after) AS (
            SELECT '', of_a, of_b
            UNION ALL
            SELECT p.place || '/' || replace(replace(k.name, '~', '~0'), '/', '~1'), p.before -> k.name,
                   p.after -> k.name
            FROM pair p,
                 LATERAL (SELECT jsonb_object_keys(p.before)
                          WHERE jsonb_typeof(p.before) = 'object' AND jsonb_typeof(p.after) = 'object'
                          UNION
                          SELECT jsonb_object_keys(p.after)
                          WHERE jsonb_typeof(p.before) = 'object' AND jsonb_typeof(p.after) = 'object') AS k (name)
            WHERE p.before IS DISTINCT FROM p.after
        )
        SELECT p.place, nullif(p.before, 'null'), nullif(p.after, 'null')
        FROM pair p
        WHERE nullif(p.before, 'null') IS DISTINCT FROM nullif(p.after, 'null')
          AND (jsonb_typeof(p.before) = 'object' AND jsonb_typeof(p.after) = 'object') IS NOT TRUE
        ORDER BY p.place;
END
$$;
COMMENT ON FUNCTION vrm.agent_diff(uuid, integer, integer) IS
    'what differs between two versions of one of the caller''s agents: JSON pointer, before and after';

CREATE OR REPLACE FUNCTION vrm.restore_agent_version(agent_id uuid, version integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owner uuid := vrm_private.caller();
    wanted vrm.agent_versions := vrm_private.agent_version(owner, agent_id, version);
BEGIN
    UPDATE vrm.agents a
    SET agent_type = wanted.agent_type, connection_details = wanted.connection_details,
        direction = wanted.direction, persona = wanted.persona, scenario = wanted.scenario
    WHERE a.user_id = owner AND a.id = restore_agent_version.agent_id AND a.deleted_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'agent "%" is deleted', agent_id
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'SELECT id, agent_id FROM vrm.agents WHERE deleted_at IS NULL;';
    END IF;
    RETURN (vrm_private.agent_version(owner, agent_id, NULL)).version;
END
$$;
COMMENT ON FUNCTION vrm.restore_agent_version(uuid, integer) IS
    'one of the caller''s agents becomes what it was; returns the number of the new version';

REVOKE EXECUTE ON FUNCTION
    vrm_private.record_agent_version(), vrm_private.keep_agent_version(), vrm_private.set_agent_version(),
    vrm_private.catch_up_versions(), vrm_private.agent_version(uuid, uuid, integer),
    vrm.agent_diff(uuid, integer, integer), vrm.restore_agent_version(uuid, integer)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.agent_diff(uuid, integer, integer), vrm.restore_agent_version(uuid, integer)
    TO authenticated;
