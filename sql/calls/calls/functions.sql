-- Calls ("test runs"): their life from queue to end

CREATE OR REPLACE FUNCTION vrm_private.check_status_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (OLD.status, NEW.status) IN (('queued', 'running'), ('queued', 'failed'), ('queued', 'cancelled'),
                                    ('running', 'completed'), ('running', 'failed'), ('running', 'cancelled'))
       -- a later report of another platform may know better how its call ended
       OR (OLD.source IS NOT NULL AND OLD.completed_at IS NOT NULL AND NEW.completed_at IS NOT NULL) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a call that is % cannot become %', OLD.status, NEW.status
        USING ERRCODE = 'object_not_in_prerequisite_state',
              DETAIL = 'A call is queued, then running, then completed, failed or cancelled for good.',
              HINT = 'Start another call: SELECT vrm.start_test_run(...);';
END
$$;
COMMENT ON FUNCTION vrm_private.check_status_change() IS 'trigger: lets calls change state only forward';
REVOKE EXECUTE ON FUNCTION vrm_private.check_status_change() FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm_private.record_status() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO vrm.run_events (user_id, run_id, status, at)
    VALUES (NEW.user_id, NEW.id, NEW.status,
            CASE WHEN NEW.source IS NOT NULL AND NEW.completed_at IS NOT NULL THEN NEW.completed_at
                 ELSE clock_timestamp() END);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.record_status() IS 'trigger: one row in vrm.run_events a change of state';
REVOKE EXECUTE ON FUNCTION vrm_private.record_status() FROM PUBLIC;

-- A case of somebody else that is not shared looks like one that does not exist.
CREATE OR REPLACE FUNCTION vrm_private.link_test_cases() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    missing text;
BEGIN
    IF jsonb_typeof(NEW.test_case_ids) <> 'array' OR jsonb_array_length(NEW.test_case_ids) > 100
       OR EXISTS (SELECT FROM jsonb_array_elements(NEW.test_case_ids) AS e (item)
                  WHERE jsonb_typeof(item) <> 'string'
                     OR item #>> '{}' !~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$') THEN
        RAISE EXCEPTION 'test_case_ids must be an array of at most 100 ids of test cases'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Got %s.', left(NEW.test_case_ids::text, 200)),
                  HINT = 'SELECT jsonb_agg(id) FROM vrm.test_cases;';
    END IF;
    DELETE FROM vrm.test_run_cases WHERE user_id = NEW.user_id AND run_id = NEW.id;
    WITH asked AS (
        SELECT id::uuid, position
        FROM jsonb_array_elements_text(NEW.test_case_ids) WITH ORDINALITY AS e (id, position)
    ), visible AS (
        SELECT a.id, a.position, c.user_id
        FROM asked a JOIN vrm.test_cases c ON c.id = a.id AND (c.user_id = NEW.user_id OR c.is_shared)
    ), linked AS (
        INSERT INTO vrm.test_run_cases (user_id, run_id, position, case_user_id, case_id)
        SELECT NEW.user_id, NEW.id, v.position, v.user_id, v.id FROM visible v
    )
    SELECT min(a.id::text) INTO missing
    FROM asked a WHERE NOT EXISTS (SELECT FROM visible v WHERE v.position = a.position);
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'test case "%" does not exist', missing
            USING ERRCODE = 'foreign_key_violation',
                  HINT = 'SELECT id, name FROM vrm.test_cases;';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.link_test_cases() IS 'trigger: keeps vrm.test_run_cases in step with test_case_ids';
REVOKE EXECUTE ON FUNCTION vrm_private.link_test_cases() FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm.start_test_run(
    agent_id uuid,
    test_case_ids uuid[] DEFAULT '{}',
    time_limit integer DEFAULT 60,
    outbound_call_params jsonb DEFAULT NULL
) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owner uuid := vrm_private.caller();
    made uuid;
BEGIN
    IF time_limit IS NULL OR time_limit NOT BETWEEN 1 AND 86400 THEN
        RAISE EXCEPTION 'time_limit must be between 1 and 86400 seconds'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Got %s.', coalesce(time_limit::text, 'null')),
                  HINT = 'Leave it out for 60 seconds.';
    END IF;
    IF jsonb_typeof(outbound_call_params) <> 'object' THEN
        RAISE EXCEPTION 'outbound_call_params must be an object'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Got a value of type %s.', jsonb_typeof(outbound_call_params)),
                  HINT = 'For example: ''{"to": "+15550100"}''.';
    END IF;
    PERFORM FROM vrm.agents a
    WHERE a.user_id = owner AND a.id = start_test_run.agent_id AND a.deleted_at IS NULL
    FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'agent "%" does not exist', coalesce(agent_id::text, 'null')
            USING ERRCODE = 'no_data_found',
                  HINT = 'SELECT id, agent_id FROM vrm.agents WHERE deleted_at IS NULL;';
    END IF;
    INSERT INTO vrm.test_runs (user_id, agent_id, test_case_ids, time_limit, outbound_call_params, status)
    VALUES (owner, start_test_run.agent_id, to_jsonb(coalesce(start_test_run.test_case_ids, '{}')),
            start_test_run.time_limit, start_test_run.outbound_call_params, 'running')
    RETURNING id INTO made;
    RETURN made;
END
$$;
COMMENT ON FUNCTION vrm.start_test_run(uuid, uuid[], integer, jsonb) IS
    'a call of one of the caller''s agents begins; returns its id';

-- The lock keeps the call from ending while something is added to it, and is shared by those who add.
CREATE OR REPLACE FUNCTION vrm_private.running_call(owner uuid, run_id uuid) RETURNS timestamptz
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    call record;
BEGIN
    SELECT r.status, r.started_at INTO call
    FROM vrm.test_runs r
    WHERE r.user_id = owner AND r.id = run_id
    FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'test run "%" does not exist', coalesce(run_id::text, 'null')
            USING ERRCODE = 'no_data_found',
                  HINT = 'SELECT id, agent, status FROM vrm.live_calls();';
    END IF;
    IF call.status <> 'running' THEN
        RAISE EXCEPTION 'test run "%" is not running', run_id
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('It is %s.', call.status),
                  HINT = CASE call.status WHEN 'queued' THEN format('SELECT vrm.begin_test_run(%L);', run_id)
                         ELSE 'Start another call: SELECT vrm.start_test_run(...);' END;
    END IF;
    RETURN call.started_at;
END
$$;
COMMENT ON FUNCTION vrm_private.running_call(uuid, uuid) IS
    'locks a running call of a user against its end; returns its start';

CREATE OR REPLACE FUNCTION vrm.begin_test_run(run_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owner uuid := vrm_private.caller();
BEGIN
    UPDATE vrm.test_runs r SET status = 'running', started_at = clock_timestamp()
    WHERE r.user_id = owner AND r.id = begin_test_run.run_id AND r.status = 'queued';
    IF NOT FOUND THEN
        PERFORM vrm_private.running_call(owner, run_id);  -- says so when it does not exist or is over
    END IF;
END
$$;
COMMENT ON FUNCTION vrm.begin_test_run(uuid) IS
    'a queued call of the caller begins to run; nothing changes when it runs already';

CREATE OR REPLACE FUNCTION vrm_private.check_offset(at interval) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF at < '0' OR at > '24 hours' THEN
        RAISE EXCEPTION 'at must be between 0 and 24 hours'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Got %s.', at),
                  HINT = 'Give the time since the start of the call, or leave it out for now.';
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.check_offset(interval) IS 'an error when a time is not within a call';

CREATE OR REPLACE FUNCTION vrm.append_transcript(
    run_id uuid,
    speaker text,
    message text,
    at interval DEFAULT NULL
) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owner uuid := vrm_private.caller();
    started timestamptz := vrm_private.running_call(owner, run_id);
BEGIN
    PERFORM vrm_private.check_text('speaker', speaker, 200, true),
            vrm_private.check_text('message', message, 100000, true),
            vrm_private.check_offset(at);
    INSERT INTO vrm.transcript_turns (user_id, run_id, speaker, message, at)
    VALUES (owner, append_transcript.run_id, append_transcript.speaker, append_transcript.message,
            coalesce(append_transcript.at, clock_timestamp() - started));
END
$$;
COMMENT ON FUNCTION vrm.append_transcript(uuid, text, text, interval) IS
    'adds a turn to a running call; "at" is the time since its start, by default now';

CREATE OR REPLACE FUNCTION vrm.record_action(
    run_id uuid,
    action text,
    status text DEFAULT 'success',
    at interval DEFAULT NULL
) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owner uuid := vrm_private.caller();
    started timestamptz := vrm_private.running_call(owner, run_id);
BEGIN
    PERFORM vrm_private.check_text('action', action, 2000, true),
            vrm_private.check_text('status', status, 200, true),
            vrm_private.check_offset(at);
    INSERT INTO vrm.run_actions (user_id, run_id, action, status, at)
    VALUES (owner, record_action.run_id, record_action.action, record_action.status,
            coalesce(record_action.at, clock_timestamp() - started));
END
$$;
COMMENT ON FUNCTION vrm.record_action(uuid, text, text, interval) IS
    'adds something that the agent did to a running call; "at" is the time since its start, by default now';

-- "2:45", from an hour on "1:02:45": the source document's form of durations
CREATE OR REPLACE FUNCTION vrm_private.clock(length interval, minute_digits integer) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN seconds < 3600
                THEN lpad((seconds / 60)::text, minute_digits, '0')
                ELSE seconds / 3600 || ':' || lpad((seconds / 60 % 60)::text, 2, '0')
           END || ':' || lpad((seconds % 60)::text, 2, '0')
    FROM (SELECT floor(extract(epoch FROM length))::bigint) AS whole (seconds)
$$;
COMMENT ON FUNCTION vrm_private.clock(interval, integer) IS 'an interval as m:ss or h:mm:ss';

-- What was appended and what the application brings, as one document of the source document's shape.
CREATE OR REPLACE FUNCTION vrm_private.folded_results(
    owner uuid, run_id uuid, results jsonb, elapsed interval
) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    turns jsonb := (SELECT jsonb_agg(jsonb_build_object('speaker', t.speaker, 'message', t.message,
                                                        'time', vrm_private.clock(t.at, 2))
                                     ORDER BY t.at, t.id)
                    FROM vrm.transcript_turns t WHERE t.user_id = owner AND t.run_id = folded_results.run_id);
    actions jsonb := (SELECT jsonb_agg(jsonb_build_object('action', a.action, 'status', a.status,
                                                          'time', vrm_private.clock(a.at, 2))
                                       ORDER BY a.at, a.id)
                      FROM vrm.run_actions a WHERE a.user_id = owner AND a.run_id = folded_results.run_id);
    wrong text := vrm.results_error(results);
BEGIN
    IF wrong IS NULL AND turns IS NOT NULL AND results ? 'transcript' THEN
        wrong := '/transcript: turns were appended to the call already';
    ELSIF wrong IS NULL AND actions IS NOT NULL AND results ? 'actionsTaken' THEN
        wrong := '/actionsTaken: actions were recorded in the call already';
    END IF;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'results are not valid'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = wrong,
                  HINT = 'SELECT vrm.results_error(...) tells whether a document will do.';
    END IF;
    turns := coalesce(turns, results -> 'transcript', '[]');
    actions := coalesce(actions, results -> 'actionsTaken', '[]');
    RETURN jsonb_build_object('duration', vrm_private.clock(elapsed, 1),
                              'actions', jsonb_array_length(actions),
                              'insights', '[]'::jsonb)
           || coalesce(results, '{}')
           || jsonb_build_object('transcript', turns, 'actionsTaken', actions);
END
$$;
COMMENT ON FUNCTION vrm_private.folded_results(uuid, uuid, jsonb, interval) IS
    'results of a call in the source document''s shape: duration, transcript, actions, insights';

CREATE OR REPLACE FUNCTION vrm_private.end_call(
    owner uuid, run_id uuid, status vrm.run_status, results jsonb DEFAULT NULL, error text DEFAULT NULL
) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    call record;
    ended timestamptz;
BEGIN
    SELECT r.status, r.started_at INTO call
    FROM vrm.test_runs r
    WHERE r.user_id = owner AND r.id = end_call.run_id
    FOR NO KEY UPDATE;
    IF NOT FOUND OR call.status IN ('completed', 'failed', 'cancelled')
       OR (call.status = 'queued' AND end_call.status = 'completed') THEN
        PERFORM vrm_private.running_call(owner, run_id);
    END IF;
    ended := greatest(clock_timestamp(), call.started_at);
    UPDATE vrm.test_runs r
    SET status = end_call.status, completed_at = ended, error = end_call.error,
        results = vrm_private.folded_results(owner, end_call.run_id, end_call.results, ended - call.started_at)
    WHERE r.user_id = owner AND r.id = end_call.run_id;
    DELETE FROM vrm.transcript_turns t WHERE t.user_id = owner AND t.run_id = end_call.run_id;
    DELETE FROM vrm.run_actions a WHERE a.user_id = owner AND a.run_id = end_call.run_id;
END
$$;
COMMENT ON FUNCTION vrm_private.end_call(uuid, uuid, vrm.run_status, jsonb, text) IS
    'ends a call: folds what was appended into its results and removes the rows';

CREATE OR REPLACE FUNCTION vrm.complete_test_run(run_id uuid, results jsonb DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM vrm_private.end_call(vrm_private.caller(), run_id, 'completed', results);
END
$$;
COMMENT ON FUNCTION vrm.complete_test_run(uuid, jsonb) IS
    'a running call of the caller ends well; results add what was not appended: customer, sentiment, insights';

CREATE OR REPLACE FUNCTION vrm.fail_test_run(run_id uuid, error text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM vrm_private.check_text('error', error, 20000, true);
    PERFORM vrm_private.end_call(vrm_private.caller(), run_id, 'failed', NULL, error);
END
$$;
COMMENT ON FUNCTION vrm.fail_test_run(uuid, text) IS
    'a queued or running call of the caller ends badly; what was appended is kept in its results';

CREATE OR REPLACE FUNCTION vrm.cancel_test_run(run_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM vrm_private.end_call(vrm_private.caller(), run_id, 'cancelled');
END
$$;
COMMENT ON FUNCTION vrm.cancel_test_run(uuid) IS
    'a queued or running call of the caller is given up; what was appended is kept in its results';

-- Calls that somebody is just ending are left to him.
CREATE OR REPLACE FUNCTION vrm.expire_test_runs(most bigint DEFAULT NULL) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    call record;
    expired bigint := 0;
BEGIN
    FOR call IN
        SELECT r.user_id, r.id, r.time_limit
        FROM vrm.test_runs r
        WHERE r.status IN ('queued', 'running')  -- as in the index
          AND r.status = 'running'
          AND r.started_at + make_interval(secs => r.time_limit) < clock_timestamp()
        LIMIT most
        FOR NO KEY UPDATE SKIP LOCKED
    LOOP
        PERFORM vrm_private.end_call(call.user_id, call.id, 'failed', NULL,
                                     format('time limit of %s s exceeded', call.time_limit));
        expired := expired + 1;
    END LOOP;
    RETURN expired;
END
$$;
COMMENT ON FUNCTION vrm.expire_test_runs(bigint) IS
    'ends, as failed, so many calls of all users that have run past their time limit, or all; returns how many';

REVOKE EXECUTE ON FUNCTION
    vrm.start_test_run(uuid, uuid[], integer, jsonb), vrm.begin_test_run(uuid),
    vrm.append_transcript(uuid, text, text, interval), vrm.record_action(uuid, text, text, interval),
    vrm.complete_test_run(uuid, jsonb), vrm.fail_test_run(uuid, text), vrm.cancel_test_run(uuid),
    vrm.expire_test_runs(bigint), vrm_private.running_call(uuid, uuid),
    vrm_private.check_offset(interval), vrm_private.clock(interval, integer),
    vrm_private.folded_results(uuid, uuid, jsonb, interval),
    vrm_private.end_call(uuid, uuid, vrm.run_status, jsonb, text)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    vrm.start_test_run(uuid, uuid[], integer, jsonb), vrm.begin_test_run(uuid),
    vrm.append_transcript(uuid, text, text, interval), vrm.record_action(uuid, text, text, interval),
    vrm.complete_test_run(uuid, jsonb), vrm.fail_test_run(uuid, text), vrm.cancel_test_run(uuid)
    TO authenticated;
GRANT EXECUTE ON FUNCTION vrm.expire_test_runs(bigint) TO service_role;

-- A transaction that is still open may yet bring events before those of others that have ended, so that
-- only what no open one can precede is given out.
CREATE OR REPLACE FUNCTION vrm.follow_events(cursor text DEFAULT NULL, most integer DEFAULT 100)
    RETURNS TABLE (event_id uuid, run_id uuid, status vrm.run_status, at timestamptz, next_cursor text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owner uuid := vrm_private.caller();
    since xid8 := '0';
    after uuid := '00000000-0000-0000-0000-000000000000';
BEGIN
    IF most BETWEEN 1 AND 10000 IS NOT TRUE
       OR cursor <> '' AND cursor !~ '^[0-9]{1,18}/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN
        RAISE EXCEPTION 'a follower needs a cursor and a number from 1 to 10000'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Got "%s", %s.', left(cursor, 100), coalesce(most::text, 'null')),
                  HINT = 'The cursor is next_cursor of the last event that was read, or null to begin with.';
    END IF;
    IF cursor <> '' THEN
        since := split_part(cursor, '/', 1)::xid8;
        after := split_part(cursor, '/', 2)::uuid;
    END IF;
    RETURN QUERY
    SELECT e.id, e.run_id, e.status, e.at, concat(e.xid, '/', e.id)
    FROM vrm.run_events e
    WHERE e.user_id = owner AND (e.xid, e.id) > (since, after) AND e.xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY e.xid, e.id
    LIMIT most;
END
$$;
COMMENT ON FUNCTION vrm.follow_events(text, integer) IS
    'events of the caller''s calls after those that were read, each once, in an order that late commits keep';
REVOKE EXECUTE ON FUNCTION vrm.follow_events(text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.follow_events(text, integer) TO authenticated;
