-- Suites of test cases and their runs

-- The case's and the suite's; where both have a threshold, the case's.
CREATE OR REPLACE FUNCTION vrm_private.merged_metrics(of_case jsonb, of_suite jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    WITH document AS (
        SELECT CASE jsonb_typeof(d) WHEN 'array' THEN jsonb_build_object('metrics', d)
                                    WHEN 'object' THEN jsonb_strip_nulls(d) ELSE '{}' END AS d, n
        FROM (VALUES (of_suite, 1), (of_case, 2)) AS given (d, n)
    ), pair AS (
        SELECT (SELECT d FROM document WHERE n = 1) AS suite, (SELECT d FROM document WHERE n = 2) AS own
    )
    SELECT CASE WHEN of_case IS NULL AND of_suite IS NULL THEN NULL
                ELSE suite || own
                     || jsonb_build_object(
                            'metrics', coalesce(own -> 'metrics', '[]') || coalesce(suite -> 'metrics', '[]'),
                            'checks', coalesce(own -> 'checks', '[]') || coalesce(suite -> 'checks', '[]'))
                END
    FROM pair
$$;
COMMENT ON FUNCTION vrm_private.merged_metrics(jsonb, jsonb) IS
    'what a call of a suite is judged by: metrics and checks of its case and of the suite';

CREATE OR REPLACE FUNCTION vrm_private.check_suite_metrics() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wrong text := vrm.evaluator_metrics_error(NEW.metrics);
BEGIN
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'metrics of suite "%" are not valid', NEW.name
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = wrong,
                  HINT = 'SELECT vrm.evaluator_metrics_error(...) tells whether a document is valid.';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION vrm_private.check_suite_metrics() IS 'trigger: refuses a document of another shape, with the place';

-- As the constraints say, which the rows that are refused do not show.
CREATE OR REPLACE FUNCTION vrm_private.check_suite_values() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wrong text;
BEGIN
    wrong := CASE
        WHEN cardinality(NEW.case_ids) NOT BETWEEN 1 AND 1000
            THEN format('case_ids: must be 1 to 1000 cases, got %s', cardinality(NEW.case_ids))
        WHEN NEW.repeats NOT BETWEEN 1 AND 1000
            THEN format('repeats: must be from 1 to 1000, got %s', NEW.repeats)
        WHEN NEW.min_pass_rate NOT BETWEEN 0 AND 1
            THEN format('min_pass_rate: must be from 0 to 1, got %s', NEW.min_pass_rate)
        WHEN NEW.min_pass_hat_k NOT BETWEEN 0 AND 1
            THEN format('min_pass_hat_k: must be from 0 to 1, got %s', NEW.min_pass_hat_k)
        WHEN NEW.max_answering_time NOT BETWEEN 1 AND 86400000
            THEN format('max_answering_time: must be from 1 to 86400000 ms, got %s', NEW.max_answering_time)
    END;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'suite "%" is not valid', NEW.name
            USING ERRCODE = 'check_violation',
                  DETAIL = wrong || '.',
                  HINT = 'INSERT INTO vrm.suites (name, case_ids, repeats, min_pass_rate)'
                         ' SELECT ''nightly'', array_agg(id), 5, 0.9 FROM vrm.test_cases;';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION vrm_private.check_suite_values() IS 'trigger: refuses numbers out of range, and says which';

-- Cases may go later, which whoever starts the suite is told.
CREATE OR REPLACE FUNCTION vrm_private.check_suite_cases() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wrong text;
BEGIN
    SELECT coalesce(c.id::text, 'null') INTO wrong
    FROM unnest(NEW.case_ids) AS c (id)
    WHERE NOT EXISTS (SELECT FROM vrm.test_cases t WHERE t.id = c.id AND (t.user_id = NEW.user_id OR t.is_shared))
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'test case "%" does not exist', wrong
            USING ERRCODE = 'no_data_found', HINT = 'SELECT id, name FROM vrm.test_cases;';
    END IF;
    SELECT c.id::text INTO wrong FROM unnest(NEW.case_ids) AS c (id) GROUP BY c.id HAVING count(*) > 1 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'test case "%" is there twice', wrong
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Say how often with repeats = 2.';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION vrm_private.check_suite_cases() IS 'trigger: a suite has cases that there are, each once';

CREATE OR REPLACE FUNCTION vrm_private.check_suite_arguments(cases uuid[], repeats integer, time_limit integer)
    RETURNS void
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    twice uuid;
BEGIN
    IF coalesce(cardinality(cases), 0) NOT BETWEEN 1 AND 1000 THEN
        RAISE EXCEPTION 'a suite must have 1 to 1000 cases'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Got %s.', coalesce(cardinality(cases), 0)),
                  HINT = 'SELECT id, name FROM vrm.test_cases;';
    END IF;
    IF repeats IS NULL OR repeats NOT BETWEEN 1 AND 1000 OR repeats * cardinality(cases) > 100000 THEN
        RAISE EXCEPTION 'repeats must be from 1 to 1000, and of all cases 100000 at most'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Got %s of %s.', coalesce(repeats::text, 'null'), cardinality(cases)),
                  HINT = 'SELECT vrm.repeats_needed(0.9, 0.7); tells how many show a difference.';
    END IF;
    IF time_limit IS NULL OR time_limit NOT BETWEEN 1 AND 86400 THEN
        RAISE EXCEPTION 'time_limit must be between 1 and 86400 seconds'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Got %s.', coalesce(time_limit::text, 'null')),
                  HINT = 'Leave it out for an hour.';
    END IF;
    SELECT c INTO twice FROM unnest(cases) AS c GROUP BY c HAVING count(*) > 1 LIMIT 1;
    IF twice IS NOT NULL THEN
        RAISE EXCEPTION 'test case "%" is there twice', twice
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Say how often with repeats => 2.';
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.check_suite_arguments(uuid[], integer, integer) IS
    'an error when a suite has no cases, too many, or one twice, or is repeated too often';

-- A case of somebody else that is not shared looks like one that does not exist.
CREATE OR REPLACE FUNCTION vrm_private.copy_suite_cases(owner uuid, suite_run uuid, cases uuid[], metrics jsonb)
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wrong record;
BEGIN
    INSERT INTO vrm.suite_run_cases (user_id, suite_run_id, position, case_id, name, user_persona, scenario, metrics)
    SELECT owner, suite_run, asked.position, c.id, c.name, c.user_persona, c.scenario,
           vrm_private.merged_metrics(c.evaluator_metrics, copy_suite_cases.metrics)
    FROM unnest(cases) WITH ORDINALITY AS asked (id, position),
         LATERAL (SELECT t.* FROM vrm.test_cases t WHERE t.id = asked.id AND (t.user_id = owner OR t.is_shared)
                  ORDER BY t.user_id <> owner LIMIT 1) AS c;
    SELECT asked.id INTO wrong
    FROM unnest(cases) AS asked (id)
    WHERE NOT EXISTS (SELECT FROM vrm.suite_run_cases c
                      WHERE c.user_id = owner AND c.suite_run_id = suite_run AND c.case_id = asked.id)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'test case "%" does not exist', coalesce(wrong.id::text, 'null')
            USING ERRCODE = 'no_data_found', HINT = 'SELECT id, name FROM vrm.test_cases;';
    END IF;
    -- together they may ask for more than one document may
    SELECT c.case_id, c.name, e.reason INTO wrong
    FROM vrm.suite_run_cases c
    JOIN vrm.test_cases t ON t.id = c.case_id,
         LATERAL (SELECT coalesce(vrm.evaluator_metrics_error(t.evaluator_metrics),
                                  vrm.evaluator_metrics_error(c.metrics)) AS reason) AS e
    WHERE c.user_id = owner AND c.suite_run_id = suite_run AND e.reason IS NOT NULL
    ORDER BY c.position
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'evaluator_metrics of test case "%" are not valid', wrong.name
            USING ERRCODE = 'invalid_parameter_value', DETAIL = wrong.reason,
                  HINT = format('UPDATE vrm.test_cases SET evaluator_metrics = ... WHERE id = %L;', wrong.case_id);
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.copy_suite_cases(uuid, uuid, uuid[], jsonb) IS
    'keeps the cases of a run of a suite as they are now; an error when one does not exist';

CREATE OR REPLACE FUNCTION vrm_private.queue_suite(owner uuid, suite_run uuid, time_limit integer) RETURNS void
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    -- each case once, then each a second time, so that early results are about all of them
    WITH call AS MATERIALIZED (
        SELECT vrm.uuid7() AS id, c.case_id, c.position, n AS repeat, s.agent_id, s.agent_version
        FROM vrm.suite_runs s
        CROSS JOIN generate_series(1, s.repeats) AS n
        JOIN vrm.suite_run_cases c ON c.user_id = s.user_id AND c.suite_run_id = s.id
        WHERE s.user_id = owner AND s.id = suite_run
        ORDER BY n, c.position
    ), placed AS (
        INSERT INTO vrm.suite_calls (user_id, suite_run_id, position, repeat, run_id)
        SELECT owner, suite_run, c.position, c.repeat, c.id FROM call c
    )
    INSERT INTO vrm.test_runs (user_id, id, agent_id, agent_version, test_case_ids, time_limit, status)
    SELECT owner, c.id, c.agent_id, c.agent_version, jsonb_build_array(c.case_id), queue_suite.time_limit, 'queued'
    FROM call c
$$;
COMMENT ON FUNCTION vrm_private.queue_suite(uuid, uuid, integer) IS 'queues a call for each case and repeat';

CREATE OR REPLACE FUNCTION vrm.start_suite(
    cases uuid[],
    agent_id uuid,
    version integer DEFAULT NULL,
    repeats integer DEFAULT 1,
    suite uuid DEFAULT NULL,
    time_limit integer DEFAULT 3600
) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owner uuid := vrm_private.caller();
    of_suite vrm.suites;
    tested vrm.agent_versions;
    made uuid;
BEGIN
    IF suite IS NOT NULL THEN
        SELECT * INTO of_suite FROM vrm.suites s WHERE s.user_id = owner AND s.id = suite FOR KEY SHARE;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'suite "%" does not exist', suite
                USING ERRCODE = 'no_data_found', HINT = 'SELECT id, name FROM vrm.suites;';
        END IF;
        IF coalesce(cardinality(cases), 0) = 0 THEN
            cases := of_suite.case_ids;
            repeats := CASE WHEN repeats = 1 THEN of_suite.repeats ELSE repeats END;
        END IF;
    END IF;
    PERFORM vrm_private.check_suite_arguments(cases, repeats, time_limit);
    PERFORM FROM vrm.agents a
    WHERE a.user_id = owner AND a.id = start_suite.agent_id AND a.deleted_at IS NULL
    FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'agent "%" does not exist', coalesce(agent_id::text, 'null')
            USING ERRCODE = 'no_data_found',
                  HINT = 'SELECT id, agent_id FROM vrm.agents WHERE deleted_at IS NULL;';
    END IF;
    tested := vrm_private.agent_version(owner, agent_id, version);
    INSERT INTO vrm.suite_runs (user_id, suite_id, name, agent_id, agent_version, repeats, min_pass_rate,
                                min_pass_hat_k, max_answering_time)
    VALUES (owner, of_suite.id, coalesce(of_suite.name, format('%s cases', cardinality(cases))), tested.agent_id,
            tested.version, start_suite.repeats, coalesce(of_suite.min_pass_rate, 1), of_suite.min_pass_hat_k,
            of_suite.max_answering_time)
    RETURNING id INTO made;
    PERFORM vrm_private.copy_suite_cases(owner, made, cases, of_suite.metrics);
    PERFORM vrm_private.queue_suite(owner, made, time_limit);
    RETURN made;
END
$$;
COMMENT ON FUNCTION vrm.start_suite(uuid[], uuid, integer, integer, uuid, integer) IS
    'queues a call for each case and repeat on a version of an agent; without cases, as the suite says';

CREATE OR REPLACE FUNCTION vrm.cancel_suite(suite_run uuid) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owner uuid := vrm_private.caller();
    call uuid;
    cancelled bigint := 0;
BEGIN
    PERFORM vrm_private.suite_run(owner, suite_run);
    FOR call IN
        SELECT r.id
        FROM vrm.suite_calls c JOIN vrm.test_runs r ON r.user_id = c.user_id AND r.id = c.run_id
        WHERE c.user_id = owner AND c.suite_run_id = suite_run AND r.status IN ('queued', 'running')
        ORDER BY r.id
        FOR NO KEY UPDATE OF r
    LOOP
        PERFORM vrm.cancel_test_run(call);
        cancelled := cancelled + 1;
    END LOOP;
    RETURN cancelled;
END
$$;
COMMENT ON FUNCTION vrm.cancel_suite(uuid) IS
    'gives up the calls of a run of a suite that have not ended; returns how many';

CREATE OR REPLACE FUNCTION vrm_private.suite_run(owner uuid, suite_run uuid) RETURNS vrm.suite_runs
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found_run vrm.suite_runs;
BEGIN
    SELECT * INTO found_run FROM vrm.suite_runs s WHERE s.user_id = owner AND s.id = suite_run;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'suite run "%" does not exist', coalesce(suite_run::text, 'null')
            USING ERRCODE = 'no_data_found',
                  HINT = 'SELECT id, name, started_at FROM vrm.suite_runs ORDER BY id DESC;';
    END IF;
    RETURN found_run;
END
$$;
COMMENT ON FUNCTION vrm_private.suite_run(uuid, uuid) IS 'a user''s run of a suite; an error when there is none';

-- Retention, policy "suites": runs whose calls have all ended, with their cases and what became of the calls.  A
-- hold on one of the calls is a hold on the run.
CREATE OR REPLACE FUNCTION vrm_private.old_suites(cutoff timestamptz)
    RETURNS TABLE (relation oid, place tid, row_key text, user_id uuid, agent_id uuid, run_id uuid,
                   started_at timestamptz, bytes bigint)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.tableoid, s.ctid, s.user_id::text || '/' || s.id, s.user_id, s.agent_id, held.run_id, s.started_at,
           (200 + 150 * calls.number)::bigint
    FROM vrm.suite_runs s
    CROSS JOIN LATERAL (SELECT count(*) AS number, count(*) FILTER (WHERE k.status IS NULL) AS waiting
                        FROM vrm.suite_calls k WHERE k.user_id = s.user_id AND k.suite_run_id = s.id) AS calls
    LEFT JOIN LATERAL (SELECT h.run_id FROM vrm_private.holds_in_force('run') h
                       JOIN vrm.suite_calls k ON k.user_id = s.user_id AND k.run_id = h.run_id
                       WHERE k.suite_run_id = s.id LIMIT 1) AS held ON true
    WHERE s.started_at < cutoff AND calls.waiting = 0
$$;
COMMENT ON FUNCTION vrm_private.old_suites(timestamptz) IS 'rule of retention: runs of suites';

REVOKE EXECUTE ON FUNCTION
    vrm_private.old_suites(timestamptz),
    vrm_private.check_suite_metrics(), vrm_private.check_suite_values(), vrm_private.check_suite_cases(),
    vrm_private.merged_metrics(jsonb, jsonb),
    vrm_private.check_suite_arguments(uuid[], integer, integer),
    vrm_private.copy_suite_cases(uuid, uuid, uuid[], jsonb), vrm_private.queue_suite(uuid, uuid, integer),
    vrm.start_suite(uuid[], uuid, integer, integer, uuid, integer), vrm.cancel_suite(uuid),
    vrm_private.suite_run(uuid, uuid)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    vrm.start_suite(uuid[], uuid, integer, integer, uuid, integer), vrm.cancel_suite(uuid)
    TO authenticated;
