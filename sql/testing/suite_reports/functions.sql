-- What runs of suites say: reports, comparisons, a gate

CREATE OR REPLACE FUNCTION vrm_private.suite_figures(owner uuid, suite_run uuid)
    RETURNS TABLE (place integer, runs bigint, passed bigint, undecided bigint, waiting bigint,
                   score double precision, duration_ms double precision, answering_time double precision,
                   failures jsonb)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH counted AS (
        SELECT k.position, count(k.passed) AS runs, count(*) FILTER (WHERE k.passed) AS passed,
               count(*) FILTER (WHERE k.passed IS NULL AND k.status IN ('completed', 'failed')) AS undecided,
               count(*) FILTER (WHERE k.status IS NULL) AS waiting, avg(k.score) AS score,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY k.duration_ms) AS duration_ms,
               percentile_cont(0.95) WITHIN GROUP (ORDER BY k.answering_time) AS answering_time
        FROM vrm.suite_calls k
        WHERE k.user_id = owner AND k.suite_run_id = suite_run
        GROUP BY k.position
    ), told AS (
        SELECT k.position, f ->> 'check' AS failed, f ->> 'reason' AS reason, count(*) AS calls
        FROM vrm.suite_calls k,
             jsonb_array_elements(coalesce(k.failed_checks, '[]') || coalesce(k.failed_metrics, '[]')) AS f
        WHERE k.user_id = owner AND k.suite_run_id = suite_run AND NOT k.passed
        GROUP BY 1, 2, 3
    ), listed AS (
        SELECT t.position, jsonb_agg(jsonb_build_object('check', t.failed, 'reason', t.reason, 'calls', t.calls)
                                     ORDER BY t.calls DESC, t.failed, t.reason) AS failures
        FROM told t
        GROUP BY t.position
    )
    SELECT c.position, c.runs, c.passed, c.undecided, c.waiting, c.score, c.duration_ms, c.answering_time, l.failures
    FROM counted c LEFT JOIN listed l USING (position)
$$;
COMMENT ON FUNCTION vrm_private.suite_figures(uuid, uuid) IS 'calls of a run of a suite, counted by case';

CREATE OR REPLACE FUNCTION vrm.suite_report(suite_run uuid, k integer DEFAULT NULL)
    RETURNS TABLE (
        case_id uuid, case_name text, runs bigint, passed bigint, undecided bigint, waiting bigint,
        pass_rate double precision, lower double precision, upper double precision, tries integer,
        pass_at_k double precision, pass_hat_k double precision, flaky boolean, score double precision,
        duration interval, answering_time double precision, failures jsonb
    )
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    owner uuid := vrm_private.reader();
    run vrm.suite_runs := vrm_private.suite_run(owner, suite_run);
    of_k CONSTANT integer := coalesce(k, run.repeats);
BEGIN
    IF of_k NOT BETWEEN 1 AND run.repeats THEN
        RAISE EXCEPTION 'k must be from 1 to %', run.repeats
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Got %s; each case was run %s times.', of_k, run.repeats),
                  HINT = format('SELECT * FROM vrm.suite_report(%L, k => 1);', suite_run);
    END IF;
    RETURN QUERY
        WITH figure AS MATERIALIZED (
            SELECT f.*, f.passed::double precision / nullif(f.runs, 0) AS rate,
                   CASE WHEN f.runs >= of_k THEN vrm.pass_at_k(f.runs, f.passed, of_k) END AS at_k,
                   CASE WHEN f.runs >= of_k THEN vrm.pass_hat_k(f.runs, f.passed, of_k) END AS hat_k
            FROM vrm_private.suite_figures(owner, suite_run) AS f
        ), line AS (
            SELECT f.place, c.case_id, c.name, f.runs, f.passed, f.undecided, f.waiting, f.rate, f.at_k, f.hat_k,
                   f.passed BETWEEN 1 AND f.runs - 1 AS flaky, f.score, f.duration_ms, f.answering_time, f.failures
            FROM figure f
            JOIN vrm.suite_run_cases c
                ON c.user_id = owner AND c.suite_run_id = suite_run AND c.position = f.place
            UNION ALL
            SELECT NULL, NULL, 'all cases', sum(f.runs)::bigint, sum(f.passed)::bigint, sum(f.undecided)::bigint,
                   sum(f.waiting)::bigint, avg(f.rate), avg(f.at_k), avg(f.hat_k),
                   bool_or(f.passed BETWEEN 1 AND f.runs - 1), avg(f.score), avg(f.duration_ms),
                   max(f.answering_time), NULL
            FROM figure f
        )
        SELECT l.case_id, l.name, l.runs, l.passed, l.undecided, l.waiting, l.rate, w.lower, w.upper, of_k, l.at_k,
               l.hat_k, l.flaky, l.score, l.duration_ms * interval '1 millisecond', l.answering_time, l.failures
        FROM line l
        CROSS JOIN LATERAL vrm.wilson_interval(l.passed, nullif(l.runs, 0), 0.95) AS w
        ORDER BY l.place NULLS LAST;
END
$$;
COMMENT ON FUNCTION vrm.suite_report(uuid, integer) IS
    'a run of a suite of the caller: one row per case, and one of all cases, which has the means of theirs';

-- Comparisons ------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION vrm_private.case_samples(owner uuid, suite_runs uuid[])
    RETURNS TABLE (case_id uuid, case_name text, runs bigint, passed bigint, answers double precision[],
                   answer double precision, scores double precision[], score double precision)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.case_id, max(c.name), count(k.passed), count(*) FILTER (WHERE k.passed),
           array_agg(k.answering_time) FILTER (WHERE k.answering_time IS NOT NULL),
           percentile_cont(0.5) WITHIN GROUP (ORDER BY k.answering_time),
           array_agg(k.score) FILTER (WHERE k.score IS NOT NULL), avg(k.score)
    FROM vrm.suite_calls k
    JOIN vrm.suite_run_cases c ON c.user_id = owner AND c.suite_run_id = k.suite_run_id AND c.position = k.position
    WHERE k.user_id = owner AND k.suite_run_id = ANY (suite_runs) AND k.status IS DISTINCT FROM 'cancelled'
    GROUP BY c.case_id
$$;
COMMENT ON FUNCTION vrm_private.case_samples(uuid, uuid[]) IS 'calls of runs of suites, gathered by case';

-- A test that could not show a difference whatever had happened is not one of the family.
CREATE OR REPLACE FUNCTION vrm_private.told_apart(
    p_value double precision, adjusted double precision, attainable double precision, change double precision,
    better text, worse text
) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN attainable > 0.05 THEN 'not enough runs'
                WHEN adjusted <= 0.05 THEN CASE WHEN change > 0 THEN better ELSE worse END
                WHEN p_value <= 0.05 THEN 'not enough runs'
                ELSE 'same' END
$$;
COMMENT ON FUNCTION vrm_private.told_apart(double precision, double precision, double precision, double precision,
                                           text, text) IS
    'what a p-value and its adjustment at the level of 0.05 say of a change';

CREATE OR REPLACE FUNCTION vrm_private.compared(owner uuid, of_a uuid[], of_b uuid[])
    RETURNS TABLE (
        case_id uuid, case_name text, verdict text, runs_a bigint, passed_a bigint, runs_b bigint, passed_b bigint,
        p_value double precision, adjusted_p double precision, repeats_needed bigint, latency text,
        latency_a double precision, latency_b double precision, scores text, score_a double precision,
        score_b double precision
    )
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH pair AS MATERIALIZED (
        SELECT a.case_id, b.case_name, a.runs AS n_a, a.passed AS k_a, b.runs AS n_b, b.passed AS k_b,
               a.answers AS t_a, b.answers AS t_b, a.scores AS s_a, b.scores AS s_b,
               b.passed::float8 / nullif(b.runs, 0) - a.passed::float8 / nullif(a.runs, 0) AS change,
               vrm.fisher_exact(a.passed, a.runs, b.passed, b.runs) AS p,
               vrm.fisher_exact(a.runs, a.runs, 0, b.runs) AS least,
               vrm.mann_whitney(a.answers, b.answers) AS p_t,
               vrm.fisher_exact(cardinality(a.answers), cardinality(a.answers), 0, cardinality(b.answers)) AS least_t,
               a.answer AS m_a, b.answer AS m_b,
               vrm.mann_whitney(a.scores, b.scores) AS p_s,
               vrm.fisher_exact(cardinality(a.scores), cardinality(a.scores), 0, cardinality(b.scores)) AS least_s,
               a.score AS q_a, b.score AS q_b
        FROM vrm_private.case_samples(owner, of_a) AS a
        JOIN vrm_private.case_samples(owner, of_b) AS b USING (case_id)
    ), family AS (
        SELECT array_agg(case_id) FILTER (WHERE least <= 0.05) AS cases,
               vrm.holm_adjusted(array_agg(p) FILTER (WHERE least <= 0.05)) AS adjusted,
               array_agg(case_id) FILTER (WHERE least_t <= 0.05) AS cases_t,
               vrm.holm_adjusted(array_agg(p_t) FILTER (WHERE least_t <= 0.05)) AS adjusted_t,
               array_agg(case_id) FILTER (WHERE least_s <= 0.05) AS cases_s,
               vrm.holm_adjusted(array_agg(p_s) FILTER (WHERE least_s <= 0.05)) AS adjusted_s
        FROM pair
    )
    SELECT p.case_id, p.case_name,
           vrm_private.told_apart(p.p, o.adjusted, p.least, p.change, 'improved', 'regressed'),
           p.n_a, p.k_a, p.n_b, p.k_b, p.p, o.adjusted,
           CASE WHEN abs(p.change) > 0.001
                THEN vrm.repeats_needed(p.k_a::double precision / p.n_a, p.k_b::double precision / p.n_b) END,
           CASE WHEN p.m_a IS NOT NULL OR p.m_b IS NOT NULL
                THEN vrm_private.told_apart(p.p_t, t.adjusted, coalesce(p.least_t, 1), p.m_a - p.m_b, 'faster',
                                            'slower')
                END,
           p.m_a, p.m_b,
           CASE WHEN p.q_a IS NOT NULL OR p.q_b IS NOT NULL
                THEN vrm_private.told_apart(p.p_s, s.adjusted, coalesce(p.least_s, 1), p.q_b - p.q_a, 'higher', 'lower')
                END,
           p.q_a, p.q_b
    FROM pair p
    LEFT JOIN (SELECT u.* FROM family f, unnest(f.cases, f.adjusted) AS u (case_id, adjusted)) AS o USING (case_id)
    LEFT JOIN (SELECT u.* FROM family f, unnest(f.cases_t, f.adjusted_t) AS u (case_id, adjusted)) AS t USING (case_id)
    LEFT JOIN (SELECT u.* FROM family f, unnest(f.cases_s, f.adjusted_s) AS u (case_id, adjusted)) AS s USING (case_id)
    ORDER BY p.case_name, p.case_id
$$;
COMMENT ON FUNCTION vrm_private.compared(uuid, uuid[], uuid[]) IS
    'cases that both of two lots of runs of suites have, and whether they tell the two apart';

CREATE OR REPLACE FUNCTION vrm.compare_suite_runs(a uuid, b uuid)
    RETURNS TABLE (
        case_id uuid, case_name text, verdict text, runs_a bigint, passed_a bigint, runs_b bigint, passed_b bigint,
        p_value double precision, adjusted_p double precision, repeats_needed bigint, latency text,
        latency_a double precision, latency_b double precision, scores text, score_a double precision,
        score_b double precision
    )
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    owner uuid := vrm_private.reader();
BEGIN
    PERFORM vrm_private.suite_run(owner, a), vrm_private.suite_run(owner, b);
    RETURN QUERY SELECT * FROM vrm_private.compared(owner, ARRAY[a], ARRAY[b]);
END
$$;
COMMENT ON FUNCTION vrm.compare_suite_runs(uuid, uuid) IS
    'two runs of suites of the caller, case by case: improved, regressed, same, or not enough runs to tell';

CREATE OR REPLACE FUNCTION vrm_private.runs_of_version(owner uuid, agent_id uuid, version integer) RETURNS uuid[]
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF version IS NULL THEN
        RAISE EXCEPTION 'two versions are needed'
            USING ERRCODE = 'null_value_not_allowed',
                  HINT = format('SELECT version, created_at FROM vrm.agent_versions WHERE agent_id = %L;', agent_id);
    END IF;
    PERFORM vrm_private.agent_version(owner, agent_id, version);
    RETURN ARRAY(SELECT s.id FROM vrm.suite_runs s
                 WHERE s.user_id = owner AND s.agent_id = runs_of_version.agent_id
                   AND s.agent_version = version);
END
$$;
COMMENT ON FUNCTION vrm_private.runs_of_version(uuid, uuid, integer) IS
    'runs of suites on a version of an agent; an error when there is no such version';

CREATE OR REPLACE FUNCTION vrm.compare_versions(agent_id uuid, a integer, b integer)
    RETURNS TABLE (
        case_id uuid, case_name text, verdict text, runs_a bigint, passed_a bigint, runs_b bigint, passed_b bigint,
        p_value double precision, adjusted_p double precision, repeats_needed bigint, latency text,
        latency_a double precision, latency_b double precision, scores text, score_a double precision,
        score_b double precision
    )
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    owner uuid := vrm_private.reader();
BEGIN
    RETURN QUERY
        SELECT * FROM vrm_private.compared(owner, vrm_private.runs_of_version(owner, agent_id, a),
                                           vrm_private.runs_of_version(owner, agent_id, b));
END
$$;
COMMENT ON FUNCTION vrm.compare_versions(uuid, integer, integer) IS
    'two versions of an agent, case by case, by all runs of suites: improved, regressed, same, or not enough runs';

-- Repeats of a case are pairs: the first with the first, the second with the second.
CREATE OR REPLACE FUNCTION vrm.compare_versions_in_all(
    agent_id uuid, a integer, b integer,
    OUT verdict text, OUT pairs bigint, OUT only_a bigint, OUT only_b bigint, OUT p_value double precision
)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owner uuid := vrm_private.reader();
    of_a uuid[] := vrm_private.runs_of_version(owner, agent_id, a);
    of_b uuid[] := vrm_private.runs_of_version(owner, agent_id, b);
BEGIN
    WITH call AS (
        SELECT k.suite_run_id = ANY (of_b) AS is_b, c.case_id, k.passed,
               row_number() OVER (PARTITION BY k.suite_run_id = ANY (of_b), c.case_id
                                  ORDER BY k.suite_run_id, k.repeat) AS n
        FROM vrm.suite_calls k
        JOIN vrm.suite_run_cases c ON c.user_id = owner AND c.suite_run_id = k.suite_run_id AND c.position = k.position
        WHERE k.user_id = owner AND k.suite_run_id = ANY (of_a || of_b) AND k.passed IS NOT NULL
    )
    SELECT count(*), count(*) FILTER (WHERE x.passed AND NOT y.passed),
           count(*) FILTER (WHERE y.passed AND NOT x.passed)
    INTO pairs, only_a, only_b
    FROM call x JOIN call y ON y.case_id = x.case_id AND y.n = x.n AND y.is_b AND NOT x.is_b;
    p_value := vrm.mcnemar_exact(only_a, only_b);
    verdict := vrm_private.told_apart(p_value, p_value, vrm.mcnemar_exact(pairs, 0), only_b - only_a,
                                      'improved', 'regressed');
END
$$;
COMMENT ON FUNCTION vrm.compare_versions_in_all(uuid, integer, integer) IS
    'two versions of an agent by all cases together: pairs of calls of which only one passed (exact test of McNemar)';

CREATE OR REPLACE FUNCTION vrm_private.version_matrix(owner uuid, agent_id uuid)
    RETURNS TABLE (case_id uuid, case_name text, version integer, runs bigint, passed bigint,
                   pass_rate double precision)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.case_id, (array_agg(c.name ORDER BY s.id DESC))[1], s.agent_version, count(k.passed),
           count(*) FILTER (WHERE k.passed),
           count(*) FILTER (WHERE k.passed)::double precision / nullif(count(k.passed), 0)
    FROM vrm.suite_runs s
    JOIN vrm.suite_run_cases c ON c.user_id = s.user_id AND c.suite_run_id = s.id
    JOIN vrm.suite_calls k ON k.user_id = s.user_id AND k.suite_run_id = s.id AND k.position = c.position
    WHERE s.user_id = owner AND s.agent_id = version_matrix.agent_id
    GROUP BY c.case_id, s.agent_version
$$;
COMMENT ON FUNCTION vrm_private.version_matrix(uuid, uuid) IS 'calls of suites of an agent by case and version';

CREATE OR REPLACE FUNCTION vrm.version_matrix(agent_id uuid)
    RETURNS TABLE (case_id uuid, case_name text, version integer, runs bigint, passed bigint,
                   pass_rate double precision)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    owner uuid := vrm_private.reader();
BEGIN
    PERFORM vrm_private.agent_version(owner, version_matrix.agent_id, NULL);
    RETURN QUERY
        SELECT m.* FROM vrm_private.version_matrix(owner, version_matrix.agent_id) AS m
        ORDER BY m.case_name, m.case_id, m.version;
END
$$;
COMMENT ON FUNCTION vrm.version_matrix(uuid) IS
    'how the cases of suites have gone on each version of one of the caller''s agents';

-- Agreement of judges ----------------------------------------------------------------------------------

-- A row a judge, a column a call; verdicts are 0 and 1.
CREATE OR REPLACE FUNCTION vrm.judge_agreement(suite_run uuid)
    RETURNS TABLE (
        metric_id uuid, metric text, judges text[], calls bigint, cohen_kappa double precision,
        krippendorff_alpha double precision, score_alpha double precision
    )
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    owner uuid := vrm_private.reader();
BEGIN
    PERFORM vrm_private.suite_run(owner, suite_run);
    RETURN QUERY
        WITH said AS (
            SELECT r.metric_id, r.judge, k.run_id, bool_or(r.passed) AS passed, avg(r.score) AS score
            FROM vrm.suite_calls k
            JOIN vrm.metric_results r ON r.user_id = owner AND r.run_id = k.run_id
            WHERE k.user_id = owner AND k.suite_run_id = judge_agreement.suite_run
            GROUP BY r.metric_id, r.judge, k.run_id
        ), line AS (
            SELECT j.metric_id, j.judge, array_agg(s.passed::integer::double precision ORDER BY c.run_id) AS verdicts,
                   array_agg(s.passed::text ORDER BY c.run_id) AS words, array_agg(s.score ORDER BY c.run_id) AS scores
            FROM (SELECT DISTINCT metric_id, judge FROM said) AS j
            JOIN (SELECT DISTINCT metric_id, run_id FROM said) AS c USING (metric_id)
            LEFT JOIN said s ON s.metric_id = j.metric_id AND s.judge = j.judge AND s.run_id = c.run_id
            GROUP BY j.metric_id, j.judge
        ), together AS (
            SELECT l.metric_id, array_agg(l.judge ORDER BY l.judge) AS judges,
                   max(cardinality(l.verdicts))::bigint AS calls, array_agg(l.verdicts ORDER BY l.judge) AS verdicts,
                   array_agg(l.scores ORDER BY l.judge) AS scores,
                   jsonb_agg(to_jsonb(l.words) ORDER BY l.judge) AS words
            FROM line l
            GROUP BY l.metric_id
        )
        SELECT t.metric_id, m.name, t.judges, t.calls,
               CASE WHEN cardinality(t.judges) = 2
                    THEN vrm.cohen_kappa(ARRAY(SELECT jsonb_array_elements_text(t.words -> 0)),
                                         ARRAY(SELECT jsonb_array_elements_text(t.words -> 1))) END,
               vrm.krippendorff_alpha(t.verdicts, 'nominal'), vrm.krippendorff_alpha(t.scores, 'interval')
        FROM together t
        JOIN vrm.metrics m ON m.user_id = owner AND m.id = t.metric_id
        WHERE cardinality(t.judges) > 1
        ORDER BY m.name, t.metric_id;
END
$$;
COMMENT ON FUNCTION vrm.judge_agreement(uuid) IS
    'how far judges of a run of a suite agree beyond chance, by metric: kappa of two, alpha of any number';

-- The gate ---------------------------------------------------------------------------------------------

-- The last run before, of the same suite or of any that has these cases, on another version.
CREATE OR REPLACE FUNCTION vrm_private.baseline(owner uuid, run vrm.suite_runs) RETURNS uuid
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.id
    FROM vrm.suite_runs s
    WHERE s.user_id = owner AND s.agent_id = run.agent_id AND s.agent_version <> run.agent_version AND s.id < run.id
      AND (s.suite_id = run.suite_id
           OR EXISTS (SELECT FROM vrm.suite_run_cases mine
                      JOIN vrm.suite_run_cases its ON its.user_id = owner AND its.suite_run_id = s.id
                                                  AND its.case_id = mine.case_id
                      WHERE mine.user_id = owner AND mine.suite_run_id = run.id))
    ORDER BY s.id DESC
    LIMIT 1
$$;
COMMENT ON FUNCTION vrm_private.baseline(uuid, vrm.suite_runs) IS
    'the run of a suite that another is compared with: the last one before on another version of the agent';

CREATE OR REPLACE FUNCTION vrm.suite_gate(suite_run uuid, OUT passed boolean, OUT reason text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owner uuid := vrm_private.reader();
    run vrm.suite_runs := vrm_private.suite_run(owner, suite_run);
    before uuid := vrm_private.baseline(owner, run);
    figures record;
    worse text;
    refusals text[] := '{}';
BEGIN
    SELECT * INTO figures FROM vrm.suite_report(suite_run) AS r WHERE r.case_id IS NULL;
    IF before IS NOT NULL THEN
        SELECT string_agg(format('"%s" (%s of %s, was %s of %s)', c.case_name, c.passed_b, c.runs_b, c.passed_a,
                                 c.runs_a), ', ' ORDER BY c.case_name) INTO worse
        FROM vrm_private.compared(owner, ARRAY[before], ARRAY[suite_run]) AS c
        WHERE c.verdict = 'regressed';
    END IF;
    IF figures.waiting > 0 THEN
        refusals := refusals || format('calls that have not ended: %s', figures.waiting);
    END IF;
    IF figures.undecided > 0 THEN
        refusals := refusals || format('calls without a verdict: %s', figures.undecided);
    END IF;
    IF figures.runs = 0 THEN
        refusals := refusals || 'no call was judged'::text;
    ELSIF figures.passed < run.min_pass_rate * figures.runs - 1e-9 THEN
        refusals := refusals || format('%s of %s calls passed, %s %% are needed', figures.passed, figures.runs,
                                       round((100 * run.min_pass_rate)::numeric, 1));
    END IF;
    IF coalesce(figures.pass_hat_k, 0) < run.min_pass_hat_k THEN
        refusals := refusals || format('pass^%s is %s, %s is needed', figures.tries,
                                       round(coalesce(figures.pass_hat_k, 0)::numeric, 3), run.min_pass_hat_k);
    END IF;
    IF figures.answering_time > run.max_answering_time THEN
        refusals := refusals || format('p95 of the answering time is %s ms, %s ms are allowed',
                                       round(figures.answering_time::numeric), run.max_answering_time);
    END IF;
    refusals := refusals || ('regressed: ' || worse);
    refusals := array_remove(refusals, NULL);
    passed := refusals = '{}';
    reason := CASE WHEN passed THEN format('%s of %s calls passed', figures.passed, figures.runs)
                   ELSE array_to_string(refusals, '; ') END;
END
$$;
COMMENT ON FUNCTION vrm.suite_gate(uuid) IS
    'whether a run of a suite is good enough: all calls judged, thresholds met, no case worse than before';

-- XML 1.0 has no place for other control characters, not even escaped.
CREATE OR REPLACE FUNCTION vrm_private.xml_text(value text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT regexp_replace(value, '[\x01-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]', '?', 'g')
$$;
COMMENT ON FUNCTION vrm_private.xml_text(text) IS 'text as it may stand in XML';

CREATE OR REPLACE FUNCTION vrm.suite_junit(suite_run uuid) RETURNS xml
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owner uuid := vrm_private.reader();
    run vrm.suite_runs := vrm_private.suite_run(owner, suite_run);
    gate record;
    agent text;
    document xml;
BEGIN
    SELECT * INTO gate FROM vrm.suite_gate(suite_run);
    SELECT vrm_private.xml_text(format('%s, version %s', a.agent_id, run.agent_version)) INTO agent
    FROM vrm.agents a WHERE a.user_id = owner AND a.id = run.agent_id;
    WITH line AS (
        SELECT vrm_private.xml_text(r.case_name) AS name, r.runs, r.passed, r.waiting, r.undecided, r.failures,
               r.runs > 0 AND r.passed < run.min_pass_rate * r.runs - 1e-9 AS failed,
               r.runs = 0 OR r.waiting > 0 OR r.undecided > 0 AS skipped,
               round(extract(epoch FROM coalesce(r.duration, '0')) * r.runs, 3) AS seconds
        FROM vrm.suite_report(suite_run) AS r
        WHERE r.case_id IS NOT NULL
    )
    SELECT xmlelement(name testsuites, xmlelement(name testsuite,
               xmlattributes(vrm_private.xml_text(run.name) AS name, count(*) + 1 AS tests,
                             count(*) FILTER (WHERE l.failed) + (NOT gate.passed)::integer AS failures, 0 AS errors,
                             count(*) FILTER (WHERE l.skipped AND NOT l.failed) AS skipped, sum(l.seconds) AS time,
                             to_char(run.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS') AS timestamp),
               xmlagg(xmlelement(name testcase, xmlattributes(agent AS classname, l.name AS name, l.seconds AS time),
                          CASE WHEN l.failed THEN xmlelement(name failure,
                              xmlattributes(format('%s of %s calls passed', l.passed, l.runs) AS message),
                              vrm_private.xml_text((
                                  SELECT string_agg(format('%s: %s (%s)', f ->> 'check', f ->> 'reason', f ->> 'calls'),
                                                    E'\n')
                                  FROM jsonb_array_elements(l.failures) AS f)))
                               WHEN l.skipped THEN xmlelement(name skipped,
                              xmlattributes(format('calls that have not ended: %s, without a verdict: %s',
                                                   l.waiting, l.undecided) AS message)) END)),
               xmlelement(name testcase, xmlattributes(agent AS classname, 'gate' AS name, 0 AS time),
                          CASE WHEN NOT gate.passed THEN xmlelement(name failure,
                              xmlattributes(vrm_private.xml_text(gate.reason) AS message)) END))) INTO document
    FROM line l;
    RETURN document;
END
$$;
COMMENT ON FUNCTION vrm.suite_junit(uuid) IS
    'a run of a suite as JUnit XML, for CI systems: a test for each case, and one for the gate';

REVOKE EXECUTE ON FUNCTION
    vrm_private.version_matrix(uuid, uuid), vrm.version_matrix(uuid),
    vrm_private.suite_figures(uuid, uuid), vrm.suite_report(uuid, integer), vrm_private.case_samples(uuid, uuid[]),
    vrm_private.told_apart(double precision, double precision, double precision, double precision, text, text),
    vrm_private.compared(uuid, uuid[], uuid[]),
    vrm.compare_suite_runs(uuid, uuid), vrm_private.runs_of_version(uuid, uuid, integer),
    vrm.compare_versions(uuid, integer, integer), vrm.compare_versions_in_all(uuid, integer, integer),
    vrm.judge_agreement(uuid), vrm_private.baseline(uuid, vrm.suite_runs), vrm.suite_gate(uuid),
    vrm_private.xml_text(text),
    vrm.suite_junit(uuid)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    vrm.suite_report(uuid, integer), vrm.compare_suite_runs(uuid, uuid), vrm.compare_versions(uuid, integer, integer),
    vrm.compare_versions_in_all(uuid, integer, integer), vrm.version_matrix(uuid), vrm.judge_agreement(uuid),
    vrm.suite_gate(uuid), vrm.suite_junit(uuid)
    TO authenticated;
