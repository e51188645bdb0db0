-- Calls that wait for a runner, and runners that have one

CREATE OR REPLACE FUNCTION vrm_private.queue_call() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO vrm.run_queue (user_id, run_id) VALUES (NEW.user_id, NEW.id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.queue_call() IS 'trigger: a queued call waits for a runner';

CREATE OR REPLACE FUNCTION vrm_private.check_lease(lease interval) RETURNS void
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF lease IS NULL OR lease <= '0' OR lease > '24 hours' THEN
        RAISE EXCEPTION 'lease must be longer than 0 and at most 24 hours'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Got %s.', coalesce(lease::text, 'null')),
                  HINT = 'Leave it out for 5 minutes.';
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.check_lease(interval) IS 'an error when a lease has no sensible length';

-- Calls whose runner was not heard of again wait anew, without what it had appended, or have failed when
-- that has happened often enough.  Leases of calls that have ended go along the way.
CREATE OR REPLACE FUNCTION vrm_private.give_back(owner uuid, most integer) RETURNS integer
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    lapsed record;
    given integer := 0;
BEGIN
    FOR lapsed IN
        DELETE FROM vrm.run_leases l
        WHERE l.user_id = owner AND l.run_id = ANY (ARRAY(
            SELECT s.run_id FROM vrm.run_leases s
            WHERE s.user_id = owner AND s.lease_until < clock_timestamp()
            ORDER BY s.lease_until LIMIT most
            FOR UPDATE SKIP LOCKED))
        RETURNING l.run_id, l.attempts, l.runner
    LOOP
        PERFORM FROM vrm.test_runs r
        WHERE r.user_id = owner AND r.id = lapsed.run_id AND r.status = 'running'
        FOR NO KEY UPDATE;
        IF NOT FOUND THEN
            CONTINUE;
        ELSIF lapsed.attempts >= 3 THEN
            PERFORM vrm.fail_test_run(lapsed.run_id,
                                      format('%s runners have had it, none has ended it', lapsed.attempts));
        ELSE
            DELETE FROM vrm.transcript_turns t WHERE t.user_id = owner AND t.run_id = lapsed.run_id;
            DELETE FROM vrm.run_actions a WHERE a.user_id = owner AND a.run_id = lapsed.run_id;
            INSERT INTO vrm.run_queue (user_id, run_id, attempts) VALUES (owner, lapsed.run_id, lapsed.attempts)
            ON CONFLICT DO NOTHING;
            given := given + 1;
        END IF;
    END LOOP;
    RETURN given;
END
$$;
COMMENT ON FUNCTION vrm_private.give_back(uuid, integer) IS
    'gives back so many of a user''s calls whose lease has ended; returns how many wait anew';

-- What vrm.claim_test_run() does where a DBA has hung triggers or rules of their own on the tables: C++ goes
-- past the executor, and leaves this to it.  The lease is part of the statement that takes the call: a runner
-- has both or nothing.  A call that began, or was given up, without a runner leaves the queue here, where it
-- is met.
-- No plan for a queue that was empty when statistics were taken would do for a full one, hence the setting.
CREATE OR REPLACE FUNCTION vrm_private.take_calls(
    owner uuid, runner text, lease interval, beginning uuid, given_back boolean, most integer
)
    RETURNS TABLE (taken_id uuid, attempt integer, lease_until timestamptz)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
    SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    ids uuid[];
BEGIN
    IF given_back THEN
        ids := ARRAY(SELECT q.run_id FROM vrm.run_queue q
                     WHERE q.user_id = owner AND q.attempts > 0
                     ORDER BY q.run_id LIMIT most
                     FOR UPDATE SKIP LOCKED);
    ELSE
        ids := ARRAY(SELECT q.run_id FROM vrm.run_queue q
                     WHERE q.user_id = owner AND q.run_id >= beginning
                     ORDER BY q.run_id LIMIT most
                     FOR UPDATE SKIP LOCKED);
    END IF;
    IF ids = '{}' THEN
        RETURN;
    END IF;
    RETURN QUERY
        WITH taken AS (
            DELETE FROM vrm.run_queue q
            WHERE q.user_id = owner AND q.run_id = ANY (ids)
            RETURNING q.run_id, q.attempts
        ), begun AS (
            UPDATE vrm.test_runs r SET status = 'running', started_at = clock_timestamp()
            FROM taken t
            WHERE r.user_id = owner AND r.id = t.run_id
              AND (r.status = 'queued' OR r.status = 'running' AND t.attempts > 0)
            RETURNING r.id, t.attempts + 1 AS attempts
        ), leased AS (
            INSERT INTO vrm.run_leases AS l (user_id, run_id, runner, attempts, lease_until)
            SELECT owner, b.id, take_calls.runner, b.attempts, clock_timestamp() + lease FROM begun b
            RETURNING l.run_id, l.attempts, l.lease_until
        )
        SELECT t.run_id, l.attempts, l.lease_until
        FROM taken t LEFT JOIN leased l ON l.run_id = t.run_id;
END
$$;
COMMENT ON FUNCTION vrm_private.take_calls(uuid, text, interval, uuid, boolean, integer) IS
    'takes so many of a user''s waiting calls; those that have begun or ended meanwhile have no lease';

-- C++ (src/functions/testing/queue.cpp): where a call is taken, little may be done but writing its rows.
CREATE OR REPLACE FUNCTION vrm.claim_test_run(
    runner text DEFAULT NULL,
    lease interval DEFAULT '5 minutes',
    most integer DEFAULT 1
)
    RETURNS TABLE (
        run_id uuid, suite_run uuid, agent_id uuid, agent_version integer, connection_details jsonb, case_id uuid,
        case_name text, persona jsonb, scenario jsonb, metrics jsonb, repeat integer, attempt integer,
        lease_until timestamptz
    )
    LANGUAGE c SECURITY DEFINER ROWS 16 SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'vrm_claim_test_run';
COMMENT ON FUNCTION vrm.claim_test_run(text, interval, integer) IS
    'takes so many of the caller''s queued calls for a runner, with their cases; a lease that ends gives a call back';

CREATE OR REPLACE FUNCTION vrm.extend_lease(
    run_id uuid, runner text DEFAULT NULL, lease interval DEFAULT '5 minutes'
) RETURNS timestamptz
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owner uuid := vrm_private.caller();
    until timestamptz;
BEGIN
    PERFORM vrm_private.check_lease(lease);
    UPDATE vrm.run_leases l SET lease_until = clock_timestamp() + lease
    WHERE l.user_id = owner AND l.run_id = extend_lease.run_id
      AND l.runner IS NOT DISTINCT FROM coalesce(extend_lease.runner, l.runner)
      AND EXISTS (SELECT FROM vrm.test_runs r
                  WHERE r.user_id = owner AND r.id = extend_lease.run_id AND r.status = 'running')
    RETURNING l.lease_until INTO until;
    IF NOT FOUND THEN
        IF NOT EXISTS (SELECT FROM vrm.test_runs r WHERE r.user_id = owner AND r.id = extend_lease.run_id) THEN
            RAISE EXCEPTION 'test run "%" does not exist', coalesce(run_id::text, 'null')
                USING ERRCODE = 'no_data_found',
                      HINT = 'Leave the call alone, and take another: SELECT run_id FROM vrm.claim_test_run();';
        END IF;
        RAISE EXCEPTION 'the lease of test run "%" is gone', run_id
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'It has ended, the call was given to another runner, or it is over.',
                  HINT = 'Leave the call alone, and take another: SELECT run_id FROM vrm.claim_test_run();';
    END IF;
    RETURN until;
END
$$;
COMMENT ON FUNCTION vrm.extend_lease(uuid, text, interval) IS
    'heartbeat of a runner: it still has the call; an error when it has not.  Returns the end of the lease';

REVOKE EXECUTE ON FUNCTION
    vrm_private.queue_call(), vrm_private.check_lease(interval), vrm_private.give_back(uuid, integer),
    vrm_private.take_calls(uuid, text, interval, uuid, boolean, integer), vrm.claim_test_run(text, interval, integer),
    vrm.extend_lease(uuid, text, interval)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.claim_test_run(text, interval, integer), vrm.extend_lease(uuid, text, interval)
    TO authenticated;

CREATE OR REPLACE FUNCTION vrm_private.forget_queue() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM vrm.run_queue q WHERE q.user_id = OLD.id;
    DELETE FROM vrm.run_leases l WHERE l.user_id = OLD.id;
    -- C++ writes them for calls that begin and end, and asks no key (src/functions/calls/events.h)
    DELETE FROM vrm.run_events e WHERE e.user_id = OLD.id;
    DELETE FROM vrm.call_facts f WHERE f.user_id = OLD.id;
    DELETE FROM vrm_private.search_queue s WHERE s.user_id = OLD.id;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.forget_queue() IS 'trigger: what waits for a person goes with the person';
REVOKE EXECUTE ON FUNCTION vrm_private.forget_queue() FROM PUBLIC;
