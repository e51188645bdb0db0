-- Calls ("test runs"): their life from queue to end

CREATE OR REPLACE FUNCTION vrm_private.check_status_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (OLD.status, NEW.status) IN (('queued', 'running'), ('queued', 'failed'), ('queued', 'cancelled'),
                                    ('running', 'completed'), ('running', 'failed'), ('running', 'cancelled'))
       -- a later report of another platform may know better how its call ended
       OR OLD.source IS NOT NULL AND OLD.completed_at IS NOT NULL AND NEW.completed_at IS NOT NULL
       -- and whoever gave a call up could not know that it went on
       OR OLD.status = 'failed' AND OLD.ended_reason = 'time_limit_exceeded' AND NEW.status = 'completed' THEN
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
    LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'vrm_record_status';
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
        FROM asked a,
             LATERAL (SELECT t.user_id FROM vrm.test_cases t
                      WHERE t.id = a.id AND (t.user_id = NEW.user_id OR t.is_shared)
                      ORDER BY t.user_id <> NEW.user_id LIMIT 1) AS c  -- cases that were handed over are there twice
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

-- How a call lives is C++ (src/functions/calls/): each function runs a few statements, planned once in a
-- backend.  Owners, states, events and facts are looked after by the policies and triggers of the tables.
CREATE OR REPLACE FUNCTION vrm.start_test_run(
    agent_id uuid,
    test_case_ids uuid[] DEFAULT '{}',
    time_limit integer DEFAULT 60,
    outbound_call_params jsonb DEFAULT NULL
) RETURNS uuid
    LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'vrm_start_test_run';
COMMENT ON FUNCTION vrm.start_test_run(uuid, uuid[], integer, jsonb) IS
    'a call of one of the caller''s agents begins; returns its id';

CREATE OR REPLACE FUNCTION vrm.begin_test_run(run_id uuid) RETURNS void
    LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'vrm_begin_test_run';
COMMENT ON FUNCTION vrm.begin_test_run(uuid) IS
    'a queued call of the caller begins to run; nothing changes when it runs already';

CREATE OR REPLACE FUNCTION vrm.append_transcript(
    run_id uuid,
    speaker text,
    message text,
    at interval DEFAULT NULL,
    end_at interval DEFAULT NULL,
    role text DEFAULT NULL,
    interrupted boolean DEFAULT false,
    latency jsonb DEFAULT NULL
) RETURNS void
    LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'vrm_append_transcript';
COMMENT ON FUNCTION vrm.append_transcript(uuid, text, text, interval, interval, text, boolean, jsonb) IS
    'adds a turn to a running call; "at" is when it began, since the start of the call, by default now';

CREATE OR REPLACE FUNCTION vrm.append_turns(run_id uuid, turns jsonb) RETURNS void
    LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'vrm_append_turns';
COMMENT ON FUNCTION vrm.append_turns(uuid, jsonb) IS
    'adds turns to a running call: an array of {speaker or role, message, ms, endMs, interrupted, latency}';

CREATE OR REPLACE FUNCTION vrm.record_action(
    run_id uuid,
    action text,
    status text DEFAULT 'success',
    at interval DEFAULT NULL,
    arguments jsonb DEFAULT NULL,
    result jsonb DEFAULT NULL,
    ok boolean DEFAULT NULL,
    took integer DEFAULT NULL
) RETURNS void
    LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'vrm_record_action';
COMMENT ON FUNCTION vrm.record_action(uuid, text, text, interval, jsonb, jsonb, boolean, integer) IS
    'adds something that the agent did to a running call; "at" is the time since its start, by default now';

CREATE OR REPLACE FUNCTION vrm.complete_test_run(run_id uuid, results jsonb DEFAULT NULL) RETURNS void
    LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'vrm_complete_test_run';
COMMENT ON FUNCTION vrm.complete_test_run(uuid, jsonb) IS
    'a running call of the caller ends well; results add what was not appended: customer, sentiment, insights';

CREATE OR REPLACE FUNCTION vrm.fail_test_run(run_id uuid, error text) RETURNS void
    LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'vrm_fail_test_run';
COMMENT ON FUNCTION vrm.fail_test_run(uuid, text) IS
    'a queued or running call of the caller ends badly; what was appended is kept in its results';

CREATE OR REPLACE FUNCTION vrm.cancel_test_run(run_id uuid) RETURNS void
    LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'vrm_cancel_test_run';
COMMENT ON FUNCTION vrm.cancel_test_run(uuid) IS
    'a queued or running call of the caller is given up; what was appended is kept in its results';

CREATE OR REPLACE FUNCTION vrm.amend_test_run(run_id uuid, results jsonb) RETURNS void
    LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'vrm_amend_test_run';
COMMENT ON FUNCTION vrm.amend_test_run(uuid, jsonb) IS
    'merges what is said later of a call of the caller, live or archived: sentiment, insights, metrics, turns';

CREATE OR REPLACE FUNCTION vrm.expire_test_runs(most bigint DEFAULT NULL) RETURNS bigint
    LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'vrm_expire_test_runs';
COMMENT ON FUNCTION vrm.expire_test_runs(bigint) IS
    'ends, as failed, so many calls of all users that have run past their time limit, or all; returns how many';

REVOKE EXECUTE ON FUNCTION
    vrm.start_test_run(uuid, uuid[], integer, jsonb), vrm.begin_test_run(uuid),
    vrm.append_transcript(uuid, text, text, interval, interval, text, boolean, jsonb), vrm.append_turns(uuid, jsonb),
    vrm.record_action(uuid, text, text, interval, jsonb, jsonb, boolean, integer),
    vrm.complete_test_run(uuid, jsonb), vrm.fail_test_run(uuid, text), vrm.cancel_test_run(uuid),
    vrm.amend_test_run(uuid, jsonb), vrm.expire_test_runs(bigint)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    vrm.start_test_run(uuid, uuid[], integer, jsonb), vrm.begin_test_run(uuid),
    vrm.append_transcript(uuid, text, text, interval, interval, text, boolean, jsonb), vrm.append_turns(uuid, jsonb),
    vrm.record_action(uuid, text, text, interval, jsonb, jsonb, boolean, integer),
    vrm.complete_test_run(uuid, jsonb), vrm.fail_test_run(uuid, text), vrm.cancel_test_run(uuid),
    vrm.amend_test_run(uuid, jsonb)
    TO authenticated;
GRANT EXECUTE ON FUNCTION vrm.expire_test_runs(bigint) TO service_role;

-- A transaction that is still open may yet bring events before those of others that have ended, so that
-- only what no open one can precede is given out.
CREATE OR REPLACE FUNCTION vrm.follow_events(cursor text DEFAULT NULL, most integer DEFAULT 100)
    RETURNS TABLE (event_id uuid, run_id uuid, status vrm.run_status, at timestamptz, next_cursor text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owner uuid := vrm_private.reader();
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
    'events of the caller''s calls after those that were read, each once, in an order that late commits do not disturb';
REVOKE EXECUTE ON FUNCTION vrm.follow_events(text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.follow_events(text, integer) TO authenticated;
