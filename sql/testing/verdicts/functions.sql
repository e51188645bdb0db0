-- Verdicts on calls: what judges and people say, and what follows for a suite

-- By its name or address a person is told from a program, unless the caller says which it is.
CREATE OR REPLACE FUNCTION vrm_private.is_person(judge text, owner uuid) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT judge ~* '^(person|human)\M' OR judge ~ '^[^@[:space:]]+@[^@[:space:]]+\.[^@[:space:]]+$'
           OR judge = owner::text
$$;
COMMENT ON FUNCTION vrm_private.is_person(text, uuid) IS
    'whether a judge is a person: "person ..." or "human ...", an e-mail address, or the caller''s id';

-- The case that a verdict is about: the one that is named, else the only one that the call has.
CREATE OR REPLACE FUNCTION vrm_private.judged_case(owner uuid, run_id uuid, case_id uuid) RETURNS uuid
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    cases uuid[];
BEGIN
    SELECT array_agg(c.case_id) INTO cases
    FROM (SELECT o.case_id
          FROM vrm.suite_calls k
          JOIN vrm.suite_run_cases o ON o.user_id = owner AND o.suite_run_id = k.suite_run_id
                                    AND o.position = k.position
          WHERE k.user_id = owner AND k.run_id = judged_case.run_id
          UNION
          SELECT l.case_id FROM vrm.test_run_cases l
          WHERE l.user_id = owner AND l.run_id = judged_case.run_id
          UNION  -- in the archive a call has its cases in its own row alone
          SELECT e.id::uuid
          FROM vrm_private.test_runs_archive a, jsonb_array_elements_text(a.test_case_ids) AS e (id)
          WHERE a.user_id = owner AND a.id = judged_case.run_id) AS c;
    IF case_id IS NULL THEN
        RETURN CASE cardinality(cases) WHEN 1 THEN cases[1] ELSE '00000000-0000-0000-0000-000000000000' END;
    ELSIF case_id = ANY (cases) THEN
        RETURN case_id;
    END IF;
    RAISE EXCEPTION 'test run "%" has no test case "%"', run_id, case_id
        USING ERRCODE = 'no_data_found',
              HINT = format('SELECT test_case_ids FROM vrm.all_test_runs WHERE id = %L;', run_id);
END
$$;
COMMENT ON FUNCTION vrm_private.judged_case(uuid, uuid, uuid) IS
    'case of a call that a verdict is about, all zeros for the call as a whole; an error when it has no such case';

CREATE OR REPLACE FUNCTION vrm.record_verdict(
    run_id uuid,
    metric_id uuid,
    judge text,
    passed boolean DEFAULT NULL,
    score double precision DEFAULT NULL,
    rationale text DEFAULT NULL,
    case_id uuid DEFAULT NULL,
    is_person boolean DEFAULT NULL
) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owner uuid := vrm_private.caller();
    about uuid;
BEGIN
    PERFORM vrm_private.check_text('judge', judge, 200, true),
            vrm_private.check_text('rationale', rationale, 20000, false);
    -- larger ones would have no mean
    IF score IS NULL AND passed IS NULL OR score NOT BETWEEN -1e100 AND 1e100 THEN
        RAISE EXCEPTION 'a verdict needs a score from -1e100 to 1e100, or whether the call has passed'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Got score %s.', coalesce(score::text, 'null')),
                  HINT = 'For example: passed => true, score => 0.8.';
    END IF;
    PERFORM FROM vrm.metrics m WHERE m.user_id = owner AND m.id = record_verdict.metric_id FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'metric "%" does not exist', coalesce(metric_id::text, 'null')
            USING ERRCODE = 'no_data_found', HINT = 'SELECT id, name FROM vrm.metrics;';
    END IF;
    PERFORM FROM vrm.all_test_runs r WHERE r.user_id = owner AND r.id = record_verdict.run_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'test run "%" does not exist', coalesce(run_id::text, 'null')
            USING ERRCODE = 'no_data_found', HINT = 'SELECT id, agent, status FROM vrm.call_history();';
    END IF;
    about := vrm_private.judged_case(owner, run_id, case_id);
    INSERT INTO vrm.metric_results (user_id, metric_id, run_id, case_id, judge, is_person, passed, score, rationale)
    VALUES (owner, record_verdict.metric_id, record_verdict.run_id, about, record_verdict.judge,
            coalesce(record_verdict.is_person, vrm_private.is_person(record_verdict.judge, owner)),
            record_verdict.passed, record_verdict.score, record_verdict.rationale)
    ON CONFLICT ON CONSTRAINT metric_results_pkey DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'judge "%" has already judged test run "%" by this metric', judge, run_id
            USING ERRCODE = 'unique_violation',
                  DETAIL = 'What was said is kept as it was.',
                  HINT = format('Give a second opinion under another name: judge => %L.',
                                left(judge, 180) || ', second look');
    END IF;
END
$$;
COMMENT ON FUNCTION vrm.record_verdict(uuid, uuid, text, boolean, double precision, text, uuid, boolean) IS
    'keeps what a judge, or a person, says of one of the caller''s calls; each says it once, people overrule';

CREATE OR REPLACE FUNCTION vrm_private.named_metrics(metrics jsonb)
    RETURNS TABLE (name text, decides boolean, threshold double precision, weight double precision)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE jsonb_typeof(e) WHEN 'string' THEN e #>> '{}' ELSE e ->> 'metric' END,
           coalesce((e ->> 'decides')::boolean, false), (e ->> 'threshold')::double precision,
           coalesce((e ->> 'weight')::double precision, 1)
    FROM jsonb_array_elements(CASE jsonb_typeof(metrics) WHEN 'array' THEN metrics
                              ELSE coalesce(nullif(metrics -> 'metrics', 'null'), '[]') END) AS e
$$;
COMMENT ON FUNCTION vrm_private.named_metrics(jsonb) IS 'metrics that a document of evaluator_metrics names';

-- What was said of a call by each metric, taken together: by people if any has said something, else by
-- judges.  The majority passes it; a judge who gives a score only passes it at the threshold.
CREATE OR REPLACE FUNCTION vrm_private.taken_together(owner uuid, run_id uuid, case_id uuid, metrics jsonb)
    RETURNS TABLE (metric text, decides boolean, weight double precision, passed boolean, score double precision,
                   reason text)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
        WITH listed AS (
            SELECT m.id, min(e.name) AS named, bool_or(e.decides) AS decides, max(e.threshold) AS threshold,
                   max(e.weight) AS weight
            FROM vrm_private.named_metrics(taken_together.metrics) AS e
            LEFT JOIN vrm.metrics m ON m.user_id = owner AND e.name IN (m.name, m.id::text)
            GROUP BY m.id, CASE WHEN m.id IS NULL THEN e.name END
        ), given AS MATERIALIZED (  -- else an index in the order of metrics is read from end to end
            SELECT r.metric_id, r.judge, r.passed, r.score, r.rationale, r.is_person
            FROM vrm.metric_results r
            WHERE r.user_id = owner AND r.run_id = taken_together.run_id
              AND r.case_id IN (taken_together.case_id, '00000000-0000-0000-0000-000000000000')
        ), said AS (
            SELECT g.*, bool_or(g.is_person) OVER (PARTITION BY g.metric_id) AS overruled FROM given g
        ), counted AS (
            SELECT s.metric_id, count(*) FILTER (WHERE v.passed) AS good, count(v.passed) AS votes,
                   avg(s.score) AS score,
                   string_agg(concat_ws(': ', s.judge, s.rationale), '; ' ORDER BY s.judge)
                       FILTER (WHERE NOT v.passed) AS reason
            FROM said s
            LEFT JOIN listed l ON l.id = s.metric_id
            CROSS JOIN LATERAL (SELECT coalesce(s.passed, s.score >= l.threshold) AS passed) AS v
            WHERE s.is_person OR NOT s.overruled
            GROUP BY s.metric_id
        )
        SELECT coalesce(l.named, m.name), coalesce(l.decides, false), coalesce(l.weight, 1),
               CASE WHEN c.votes > 0 THEN c.good * 2 > c.votes END, c.score, c.reason
        FROM listed l
        FULL JOIN counted c ON c.metric_id = l.id
        LEFT JOIN vrm.metrics m ON m.user_id = owner AND m.id = c.metric_id;
END
$$;
COMMENT ON FUNCTION vrm_private.taken_together(uuid, uuid, uuid, jsonb) IS
    'what judges and people have said of a call, one row per metric that its case names or that somebody has used';

-- A suite may be played before anybody has counted its rows: the setting keeps plans from being those for
-- empty tables.
-- Passed: completed, no check failed, and what decides is good enough.  Where nothing is said to decide,
-- whatever judges say does.
CREATE OR REPLACE FUNCTION vrm_private.judge_call(owner uuid, run_id uuid) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    SET enable_seqscan = off AS $$
DECLARE
    call record;
    about record;
    said record;
    good boolean;
BEGIN
    SELECT k.suite_run_id, k.position, k.repeat, k.status, k.failed_checks INTO call
    FROM vrm.suite_calls k
    WHERE k.user_id = owner AND k.run_id = judge_call.run_id
    FOR NO KEY UPDATE;
    IF NOT FOUND OR call.status IS NULL OR call.status = 'cancelled' THEN
        RETURN;
    END IF;
    -- Apart: joined, all cases of the owner would be read for each call.
    SELECT o.case_id, o.metrics, (o.metrics ->> 'threshold')::double precision AS threshold INTO about
    FROM vrm.suite_run_cases o
    WHERE o.user_id = owner AND o.suite_run_id = call.suite_run_id AND o.position = call.position;
    IF NOT FOUND THEN  -- all of it goes
        RETURN;
    END IF;
    SELECT bool_and(t.passed) FILTER (WHERE t.decides) AS deciding,
           bool_or(t.passed IS NULL) FILTER (WHERE t.decides) AS waiting, bool_or(t.decides) AS some_decide,
           bool_and(t.passed) AS all_of_them, avg(t.score) AS score,
           sum(t.weight) FILTER (WHERE t.passed) / nullif(sum(t.weight), 0) AS reached,
           sum(t.weight) FILTER (WHERE t.passed IS NOT FALSE) / nullif(sum(t.weight), 0) AS reachable,
           jsonb_agg(jsonb_build_object('check', t.metric, 'reason', coalesce(t.reason, 'did not pass')))
               FILTER (WHERE NOT t.passed) AS failed INTO said
    FROM vrm_private.taken_together(owner, run_id, about.case_id, about.metrics) AS t;

    good := CASE
        WHEN call.status <> 'completed' OR call.failed_checks <> '[]' OR said.deciding IS FALSE
             OR coalesce(said.reachable, 1) < about.threshold THEN false
        WHEN said.waiting OR about.threshold > 0 AND coalesce(said.reached, 0) < about.threshold THEN NULL
        WHEN said.some_decide IS TRUE OR about.threshold IS NOT NULL THEN true
        ELSE said.all_of_them IS NOT FALSE END;
    UPDATE vrm.suite_calls k SET passed = good, score = said.score, failed_metrics = said.failed
    WHERE k.user_id = owner AND k.suite_run_id = call.suite_run_id AND k.position = call.position
      AND k.repeat = call.repeat;
END
$$;
COMMENT ON FUNCTION vrm_private.judge_call(uuid, uuid) IS
    'whether a call of a suite has passed, by its checks and by what was said of it';

CREATE OR REPLACE FUNCTION vrm_private.judge_ended_call() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET enable_seqscan = off AS $$
BEGIN
    UPDATE vrm.suite_calls k
    SET status = NEW.status,
        duration_ms = extract(epoch FROM coalesce(vrm.call_duration(NEW.results),
                                                  NEW.completed_at - NEW.started_at)) * 1000,
        answering_time = vrm.answering_time(NEW.results, 0.95),
        failed_checks = CASE NEW.status
            WHEN 'completed' THEN vrm.failed_checks((
                SELECT o.metrics FROM vrm.suite_run_cases o
                WHERE o.user_id = k.user_id AND o.suite_run_id = k.suite_run_id AND o.position = k.position),
                NEW.results)
            WHEN 'failed' THEN jsonb_build_array(jsonb_build_object('check', 'completed', 'reason',
                                                                    coalesce(NEW.error, 'the call failed'))) END
    WHERE k.user_id = NEW.user_id AND k.run_id = NEW.id;
    IF FOUND THEN
        DELETE FROM vrm.run_leases l WHERE l.user_id = NEW.user_id AND l.run_id = NEW.id;
        PERFORM vrm_private.judge_call(NEW.user_id, NEW.id);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.judge_ended_call() IS 'trigger: a call of a suite has ended, or was amended';

CREATE OR REPLACE FUNCTION vrm_private.judge_again() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET enable_seqscan = off AS $$
DECLARE
    said vrm.metric_results := CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    IF EXISTS (SELECT FROM vrm.suite_calls k WHERE k.user_id = said.user_id AND k.run_id = said.run_id) THEN
        PERFORM vrm_private.judge_call(said.user_id, said.run_id);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.judge_again() IS 'trigger: what is said of a call of a suite counts at once';

-- Retention, policy "verdicts": what was said of calls that are gone.
CREATE OR REPLACE FUNCTION vrm_private.old_verdicts(cutoff timestamptz)
    RETURNS TABLE (relation oid, place tid, row_key text, user_id uuid, agent_id uuid, run_id uuid,
                   started_at timestamptz, bytes bigint)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT m.tableoid, m.ctid, concat_ws('/', m.user_id, m.metric_id, m.run_id, m.case_id, m.judge), m.user_id,
           NULL::uuid, m.run_id, m.at, (150 + coalesce(octet_length(m.rationale), 0))::bigint
    FROM vrm.metric_results m
    WHERE m.at < cutoff
      AND NOT EXISTS (SELECT FROM vrm.test_runs r WHERE r.user_id = m.user_id AND r.id = m.run_id)
      AND NOT EXISTS (SELECT FROM vrm_private.test_runs_archive a WHERE a.user_id = m.user_id AND a.id = m.run_id)
      AND NOT EXISTS (SELECT FROM vrm.suite_calls k WHERE k.user_id = m.user_id AND k.run_id = m.run_id)
$$;
COMMENT ON FUNCTION vrm_private.old_verdicts(timestamptz) IS 'rule of retention: verdicts on calls that are gone';

REVOKE EXECUTE ON FUNCTION
    vrm_private.old_verdicts(timestamptz), vrm_private.is_person(text, uuid), vrm_private.judged_case(uuid, uuid, uuid),
    vrm.record_verdict(uuid, uuid, text, boolean, double precision, text, uuid, boolean),
    vrm_private.named_metrics(jsonb), vrm_private.taken_together(uuid, uuid, uuid, jsonb),
    vrm_private.judge_call(uuid, uuid),
    vrm_private.judge_ended_call(), vrm_private.judge_again()
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.record_verdict(uuid, uuid, text, boolean, double precision, text, uuid, boolean)
    TO authenticated;
