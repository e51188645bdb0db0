-- Test cases made of calls that went wrong

CREATE OR REPLACE FUNCTION vrm_private.turns_of_customer(results jsonb) RETURNS TABLE (place bigint, said text)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT t.n, t.turn ->> 'message'
    FROM jsonb_array_elements(CASE jsonb_typeof(results -> 'transcript') WHEN 'array' THEN results -> 'transcript'
                              ELSE '[]' END) WITH ORDINALITY AS t (turn, n)
    LEFT JOIN vrm.speaker_roles s
        ON s.speaker = translate(lower(coalesce(t.turn ->> 'role', t.turn ->> 'speaker') COLLATE "C"), ' -', '__')
    WHERE coalesce(s.role, 'customer') = 'customer'
      AND t.turn ->> 'message' <> ''
$$;
COMMENT ON FUNCTION vrm_private.turns_of_customer(jsonb) IS 'what the customer of a call said, in order';

-- What the agent should have done: what it tried, in this order; what it always says at first; not what it
-- says when it is at a loss; in the time that it had.
CREATE OR REPLACE FUNCTION vrm_private.expected_of(results jsonb, details jsonb, time_limit integer) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    WITH tool AS (
        SELECT DISTINCT ON (a ->> 'action') left(a ->> 'action', 200) AS name, a -> 'arguments' AS arguments, n
        FROM jsonb_array_elements(CASE jsonb_typeof(results -> 'actionsTaken')
                                  WHEN 'array' THEN results -> 'actionsTaken' ELSE '[]' END) WITH ORDINALITY AS e (a, n)
        WHERE octet_length(a ->> 'action') BETWEEN 1 AND 200
        ORDER BY a ->> 'action', n
    ), rule AS (
        SELECT 1 AS kind, n, jsonb_strip_nulls(jsonb_build_object('check', 'tool_called', 'tool', name, 'arguments',
                   CASE WHEN jsonb_typeof(arguments) = 'object' THEN arguments END)) AS document
        FROM (SELECT * FROM tool ORDER BY n LIMIT 40) AS t
        UNION ALL
        SELECT 2, 0, jsonb_build_object('check', 'tool_order', 'tools', jsonb_agg(name ORDER BY n))
        FROM (SELECT * FROM tool ORDER BY n LIMIT 40) AS t
        HAVING count(*) > 1
        UNION ALL
        SELECT 3, 0, jsonb_build_object('check', 'said', 'text', details ->> 'introPrompt')
        WHERE octet_length(details ->> 'introPrompt') BETWEEN 1 AND 1000
        UNION ALL
        SELECT 4, 0, jsonb_build_object('check', 'not_said', 'text', details ->> 'fallbackPrompt')
        WHERE octet_length(details ->> 'fallbackPrompt') BETWEEN 1 AND 1000
        UNION ALL
        SELECT 5, 0, jsonb_build_object('check', 'ended_within', 'seconds', time_limit)
    )
    SELECT jsonb_build_object('checks', jsonb_agg(document ORDER BY kind, n)) FROM rule
$$;
COMMENT ON FUNCTION vrm_private.expected_of(jsonb, jsonb, integer) IS
    'evaluator_metrics for a case like a call: tools, phrases and time as checks';

-- Calls of one minute would have the same.
CREATE OR REPLACE FUNCTION vrm_private.free_case_name(owner uuid, id uuid, wanted text) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN EXISTS (SELECT FROM vrm.test_cases c WHERE c.user_id = owner AND c.name = wanted)
                THEN format('%s (%s)', left(wanted, 160), id) ELSE wanted END
$$;
COMMENT ON FUNCTION vrm_private.free_case_name(uuid, uuid, text) IS
    'a name that no case of the owner has: with the id where the one that is wanted is taken';

CREATE OR REPLACE FUNCTION vrm.make_test_case(run_id uuid) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owner uuid := vrm_private.caller();
    call record;
    made uuid := vrm.uuid7();
BEGIN
    SELECT r.status, r.started_at, r.results, r.error, r.time_limit, a.agent_id AS agent, a.connection_details INTO call
    FROM vrm.all_test_runs r
    LEFT JOIN vrm.agents a ON a.user_id = owner AND a.id = r.agent_id
    WHERE r.user_id = owner AND r.id = make_test_case.run_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'test run "%" does not exist', coalesce(run_id::text, 'null')
            USING ERRCODE = 'no_data_found', HINT = 'SELECT id, agent, status FROM vrm.call_history();';
    END IF;
    IF call.status IN ('queued', 'running') THEN
        RAISE EXCEPTION 'test run "%" has not ended', run_id
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('It is %s.', call.status),
                  HINT = 'SELECT id, agent, status FROM vrm.call_history();';
    END IF;
    INSERT INTO vrm.test_cases (user_id, id, name, user_persona, scenario, evaluator_metrics)
    SELECT owner, made,
           vrm_private.free_case_name(
               owner, made,
               left(concat_ws(': ', call.agent, format('call of %s', to_char(call.started_at AT TIME ZONE 'UTC',
                                                                            'YYYY-MM-DD HH24:MI')), call.error), 200)),
           jsonb_strip_nulls(jsonb_build_object(
               'mood', CASE call.results ->> 'sentiment' WHEN 'negative' THEN 'irritated'
                       WHEN 'positive' THEN 'friendly' WHEN 'neutral' THEN 'calm' END,
               'wordsPerTurn', round(avg(cardinality(regexp_split_to_array(btrim(t.said), '\s+'))), 1))),
           jsonb_strip_nulls(jsonb_build_object(
               'opening', (array_agg(t.said ORDER BY t.place))[1],
               'turns', to_jsonb((array_agg(t.said ORDER BY t.place))[1:50]),
               'problem', call.error, 'fromCall', make_test_case.run_id)),
           vrm_private.expected_of(call.results, call.connection_details, call.time_limit)
    FROM vrm_private.turns_of_customer(call.results) AS t;
    RETURN made;
END
$$;
COMMENT ON FUNCTION vrm.make_test_case(uuid) IS
    'makes a test case of a call of the caller that has ended, to be edited: what the customer said, and checks';

REVOKE EXECUTE ON FUNCTION
    vrm_private.turns_of_customer(jsonb), vrm_private.expected_of(jsonb, jsonb, integer),
    vrm_private.free_case_name(uuid, uuid, text), vrm.make_test_case(uuid)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.make_test_case(uuid) TO authenticated;
