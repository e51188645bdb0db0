-- Handing agents over: from a person to an organisation, with their calls

CREATE OR REPLACE FUNCTION vrm_private.check_handover(owner uuid, agent uuid, organisation uuid) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name text;
BEGIN
    SELECT a.agent_id INTO name FROM vrm.agents a WHERE a.user_id = owner AND a.id = agent FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'agent "%" does not exist', agent
            USING ERRCODE = 'no_data_found',
                  HINT = 'SELECT id, agent_id FROM vrm.agents;';
    ELSIF EXISTS (SELECT FROM vrm.agents a WHERE a.user_id = organisation AND a.agent_id = name) THEN
        RAISE EXCEPTION 'the organisation has an agent of this name'
            USING ERRCODE = 'unique_violation',
                  DETAIL = format('Agent "%s".', name),
                  HINT = format('UPDATE vrm.agents SET agent_id = ''another name'' WHERE id = %L;', agent);
    ELSIF EXISTS (SELECT FROM vrm.test_runs r
                  WHERE r.user_id = owner AND r.agent_id = agent AND r.status IN ('queued', 'running')) THEN
        RAISE EXCEPTION 'calls of the agent are under way'
            USING ERRCODE = 'object_in_use',
                  HINT = format('Wait, or: SELECT vrm.cancel_test_run(id) FROM vrm.test_runs WHERE agent_id = %L'
                                ' AND completed_at IS NULL;', agent);
    ELSIF EXISTS (SELECT FROM (SELECT r.id, r.started_at FROM vrm.test_runs r
                               WHERE r.user_id = owner AND r.agent_id = agent
                               UNION ALL
                               SELECT r.id, r.started_at FROM vrm_private.test_runs_archive r
                               WHERE r.user_id = owner AND r.agent_id = agent) AS r,
                       vrm_private.holds_on(owner, agent, r.id, r.started_at)) THEN
        RAISE EXCEPTION 'calls of the agent are under a legal hold'
            USING ERRCODE = 'object_in_use',
                  DETAIL = 'Nothing was handed over.',
                  HINT = 'Ask who keeps the database: SELECT vrm.release_hold(...);';
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.check_handover(uuid, uuid, uuid) IS
    'locks the agent; an error when it cannot be handed over';

-- With the ids that they have: what names them in documents goes on to do so.
CREATE OR REPLACE FUNCTION vrm_private.copy_for_handover(owner uuid, agent uuid, organisation uuid, calls uuid[])
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO vrm.test_cases (user_id, id, name, user_persona, scenario, evaluator_metrics, created_at)
    SELECT organisation, c.id,
           CASE WHEN EXISTS (SELECT FROM vrm.test_cases o WHERE o.user_id = organisation AND o.name = c.name)
                THEN left(c.name, 160) || ' ' || c.id ELSE c.name END,
           c.user_persona, c.scenario, c.evaluator_metrics, c.created_at
    FROM vrm.test_cases c
    WHERE c.user_id = owner
      AND c.id IN (SELECT l.case_id FROM vrm.test_run_cases l
                   WHERE l.user_id = owner AND l.run_id = ANY (calls) AND l.case_user_id = owner
                   UNION
                   SELECT k.case_id FROM vrm.suite_run_cases k
                   JOIN vrm.suite_runs s ON s.user_id = k.user_id AND s.id = k.suite_run_id
                   WHERE s.user_id = owner AND s.agent_id = agent)
    ON CONFLICT ON CONSTRAINT test_cases_pkey DO NOTHING;
    INSERT INTO vrm.test_cases (user_id, name, user_persona, scenario, evaluator_metrics)
    SELECT organisation, vrm_private.name_of_case(t.name, a.agent_id), t.user_persona, t.scenario, t.evaluator_metrics
    FROM vrm.agents a, vrm.test_case_templates t
    WHERE a.user_id = owner AND a.id = agent AND a.deleted_at IS NULL AND t.enabled
    ON CONFLICT ON CONSTRAINT test_cases_name DO NOTHING;
    INSERT INTO vrm.metrics (user_id, id, name, prompt, created_at)
    SELECT organisation, m.id,
           CASE WHEN EXISTS (SELECT FROM vrm.metrics o WHERE o.user_id = organisation AND o.name = m.name)
                THEN left(m.name, 160) || ' ' || m.id ELSE m.name END, m.prompt, m.created_at
    FROM vrm.metrics m
    WHERE m.user_id = owner
      AND m.id IN (SELECT r.metric_id FROM vrm.metric_results r WHERE r.user_id = owner AND r.run_id = ANY (calls))
    ON CONFLICT ON CONSTRAINT metrics_pkey DO NOTHING;
END
$$;
COMMENT ON FUNCTION vrm_private.copy_for_handover(uuid, uuid, uuid, uuid[]) IS
    'gives the organisation the test cases and metrics that calls of the agent refer to';

-- Statistics of the agent are what they were; those of the two owners are made of their agents' anew.
CREATE OR REPLACE FUNCTION vrm_private.hand_over_facts(owner uuid, agent uuid, organisation uuid) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    no_agent CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
    days date[];
    months date[];
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('vrm.call_rollup', 0));
    -- days that wait to be made anew wait there, too
    INSERT INTO vrm.call_dirty (user_id, day)
    SELECT DISTINCT organisation, d.day
    FROM vrm.call_dirty d
    WHERE d.user_id = owner
      AND EXISTS (SELECT FROM vrm.call_facts f
                  WHERE f.user_id = owner AND f.agent_id = agent
                    AND f.started_at >= d.day::timestamp AT TIME ZONE 'UTC'
                    AND f.started_at < (d.day + 1)::timestamp AT TIME ZONE 'UTC');
    UPDATE vrm.call_facts f SET user_id = organisation WHERE f.user_id = owner AND f.agent_id = agent;
    UPDATE vrm.call_rollup r SET user_id = organisation WHERE r.user_id = owner AND r.agent_id = agent;
    days := ARRAY(SELECT r.bucket FROM vrm.call_rollup r
                  WHERE r.user_id = organisation AND r.grain = 'day' AND r.agent_id = agent);
    months := ARRAY(SELECT DISTINCT date_trunc('month', d::timestamp)::date FROM unnest(days) AS d);
    DELETE FROM vrm.call_rollup r
    WHERE r.user_id IN (owner, organisation)
      AND (r.grain = 'user_month' AND r.bucket = ANY (months)
           OR r.grain IN ('user_day', 'user_parts') AND r.bucket = ANY (days));
    INSERT INTO vrm.call_rollup (user_id, grain, bucket, agent_id, stats)
    SELECT r.user_id, 'user_day', r.bucket, no_agent, vrm.rollup(r.stats::vrm.call_stats)::bytea
    FROM vrm.call_rollup r
    WHERE r.user_id IN (owner, organisation) AND r.grain = 'day' AND r.bucket = ANY (days)
    GROUP BY r.user_id, r.bucket
    UNION ALL
    SELECT r.user_id, 'user_parts', r.bucket, no_agent,
           vrm.replace_parts(E'\\x010000', ARRAY(SELECT generate_series(0, 95)), vrm.rollup_parts(r.stats), true)
    FROM vrm.call_rollup r
    WHERE r.user_id IN (owner, organisation) AND r.grain = 'parts' AND r.bucket = ANY (days)
    GROUP BY r.user_id, r.bucket;
    INSERT INTO vrm.call_rollup (user_id, grain, bucket, agent_id, stats)
    SELECT r.user_id, 'user_month', m.first, no_agent, vrm.rollup(r.stats::vrm.call_stats)::bytea
    FROM unnest(months) AS m (first)
    JOIN vrm.call_rollup r ON r.user_id IN (owner, organisation) AND r.grain = 'user_day' AND r.bucket >= m.first
                          AND r.bucket < m.first + interval '1 month'
    GROUP BY r.user_id, m.first;
    DELETE FROM vrm.cached_results c WHERE c.user_id IN (owner, organisation);
END
$$;
COMMENT ON FUNCTION vrm_private.hand_over_facts(uuid, uuid, uuid) IS
    'facts and statistics of an agent get another owner';

-- Triggers stay silent, and foreign keys are looked after by hand: nothing begins, ends or is new.  Whatever
-- table has a user_id and an agent_id or run_id comes along, also those that come later.
CREATE OR REPLACE FUNCTION vrm_private.move_for_handover(owner uuid, agent uuid, organisation uuid, calls uuid[])
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET session_replication_role = replica AS $$
DECLARE
    holder record;
BEGIN
    UPDATE vrm.agents a SET user_id = organisation, updated_at = now() WHERE a.user_id = owner AND a.id = agent;
    UPDATE vrm.test_runs r SET user_id = organisation WHERE r.user_id = owner AND r.agent_id = agent;
    UPDATE vrm.suite_run_cases k SET user_id = organisation
    FROM vrm.suite_runs s
    WHERE s.user_id = owner AND s.agent_id = agent AND k.user_id = owner AND k.suite_run_id = s.id;
    UPDATE vrm.suite_runs s SET suite_id = NULL WHERE s.user_id = owner AND s.agent_id = agent;
    FOR holder IN
        SELECT c.oid::regclass AS relation,
               concat_ws(' OR ', CASE WHEN 'agent_id' = ANY (k.names) THEN 'agent_id = $3' END,
                         CASE WHEN 'run_id' = ANY (k.names) THEN 'run_id = ANY ($4)' END) AS condition
        FROM pg_class c
        CROSS JOIN LATERAL (SELECT array_agg(a.attname) AS names FROM pg_attribute a
                            WHERE a.attrelid = c.oid AND NOT a.attisdropped AND a.atttypid = 'uuid'::regtype
                              AND a.attname IN ('user_id', 'agent_id', 'run_id')) AS k
        WHERE c.relnamespace IN ('vrm'::regnamespace, 'vrm_private'::regnamespace)
          AND c.relkind IN ('r', 'p') AND NOT c.relispartition
          AND 'user_id' = ANY (k.names) AND cardinality(k.names) > 1
          -- recordings have keys of their own, facts and the archive were seen to, holds stay with whom they are on
          AND c.oid NOT IN ('vrm.test_runs'::regclass, 'vrm.call_recordings'::regclass, 'vrm.call_facts'::regclass,
                            'vrm.call_rollup'::regclass, 'vrm_private.test_runs_archive'::regclass,
                            'vrm_private.legal_holds'::regclass)
        ORDER BY 1
    LOOP
        EXECUTE format('UPDATE %s SET user_id = $2 WHERE user_id = $1 AND (%s)', holder.relation, holder.condition)
        USING owner, organisation, agent, calls;
    END LOOP;
    UPDATE vrm.test_run_cases l SET case_user_id = organisation
    WHERE l.user_id = organisation AND l.run_id = ANY (calls) AND l.case_user_id = owner;
END
$$;
COMMENT ON FUNCTION vrm_private.move_for_handover(uuid, uuid, uuid, uuid[]) IS
    'an agent, its calls and all that hangs on them get another owner';

CREATE OR REPLACE FUNCTION vrm.hand_over_agent(agent_id uuid, organisation uuid) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    owner uuid := vrm_private.caller();
    calls uuid[];
BEGIN
    PERFORM vrm_private.require_read_committed('handing an agent over');
    IF owner <> vrm.actor() THEN
        PERFORM vrm_private.organisation('admin');
    END IF;
    PERFORM pg_advisory_xact_lock(vrm_private.retention_lock()), vrm_private.lock_team(organisation);
    IF organisation IS NOT DISTINCT FROM owner
       OR NOT EXISTS (SELECT FROM vrm_private.team_members m
                      JOIN vrm.user_profiles o ON o.id = m.user_id AND o.deleted_at IS NULL
                      WHERE m.user_id = organisation AND m.member_id = vrm.actor() AND m.role <> 'viewer') THEN
        RAISE EXCEPTION 'not a member of the organisation who may write'
            USING ERRCODE = 'insufficient_privilege',
                  DETAIL = format('Organisation "%s".', organisation),
                  HINT = 'SELECT organisation_id, name, role FROM vrm.organisations();';
    END IF;
    PERFORM vrm_private.check_handover(owner, agent_id, organisation);
    PERFORM vrm.restore_from_archive(ARRAY(SELECT a.id FROM vrm_private.test_runs_archive a
                                           WHERE a.user_id = owner AND a.agent_id = agent_id));
    calls := ARRAY(SELECT r.id FROM vrm.test_runs r WHERE r.user_id = owner AND r.agent_id = agent_id);
    PERFORM vrm_private.copy_for_handover(owner, agent_id, organisation, calls),
            vrm_private.move_for_handover(owner, agent_id, organisation, calls),
            vrm_private.hand_over_facts(owner, agent_id, organisation);
    -- by the trigger that seals their keys for who owns them
    UPDATE vrm.call_recordings c SET user_id = organisation WHERE c.user_id = owner AND c.run_id = ANY (calls);
    PERFORM vrm_private.team_event(organisation, 'agent handed over', jsonb_build_object(
        'agent_id', agent_id, 'owner', owner, 'calls', cardinality(calls)));
    RETURN cardinality(calls);
END
$$;
COMMENT ON FUNCTION vrm.hand_over_agent(uuid, uuid) IS
    'gives an agent of the caller''s, with all its calls, to an organisation of theirs; returns how many calls';

REVOKE EXECUTE ON FUNCTION
    vrm_private.check_handover(uuid, uuid, uuid), vrm_private.copy_for_handover(uuid, uuid, uuid, uuid[]),
    vrm_private.hand_over_facts(uuid, uuid, uuid), vrm_private.move_for_handover(uuid, uuid, uuid, uuid[]),
    vrm.hand_over_agent(uuid, uuid)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.hand_over_agent(uuid, uuid) TO authenticated;
