-- What two runs of suites say of each other: which case, which way, and against which run the gate compares.
BEGIN;
SELECT plan(14);
\ir ../include/played_suites.sql

CREATE FUNCTION pg_temp.started(version integer) RETURNS uuid LANGUAGE sql AS $$
    SELECT pg_temp.of_alice(format(
        'SELECT vrm.start_suite(ARRAY(SELECT id FROM vrm.test_cases WHERE name = ANY (''{books,plain,kind}'')
                                      ORDER BY name), %L, %s, repeats => 6)',
        (SELECT id FROM vrm.agents WHERE agent_id = 'desk'), version))::uuid
$$;
-- As judged calls are: of a case so many have passed, in about so many milliseconds, with about that score.
CREATE FUNCTION pg_temp.judge(run uuid, case_name text, good integer, answer integer, score float8)
    RETURNS void LANGUAGE sql AS $$
    UPDATE vrm.suite_calls k
    SET status = 'completed', passed = k.repeat <= good, answering_time = answer + k.repeat,
        score = judge.score + k.repeat * 0.001
    FROM vrm.suite_run_cases c
    WHERE k.suite_run_id = run AND c.suite_run_id = run AND c.position = k.position AND c.name = judge.case_name
$$;
SELECT pg_temp.started(1) AS first \gset
UPDATE vrm.agents SET persona = 'another' WHERE id = :'agent';
SELECT pg_temp.started(2) AS second \gset
SELECT pg_temp.judge(:'first', 'books', 6, 500, 0.9), pg_temp.judge(:'second', 'books', 0, 300, 0.1),
       pg_temp.judge(:'first', 'kind', 0, 300, 0.1), pg_temp.judge(:'second', 'kind', 6, 500, 0.9),
       pg_temp.judge(:'first', 'plain', 6, 400, 0.5), pg_temp.judge(:'second', 'plain', 6, 400, 0.5) \g /dev/null
-- of "plain" one call was judged on the first version: whatever had happened, nothing could be told
UPDATE vrm.suite_calls k SET passed = NULL, answering_time = NULL, score = NULL FROM vrm.suite_run_cases c
WHERE k.suite_run_id = :'first' AND c.suite_run_id = :'first' AND c.position = k.position AND c.name = 'plain'
  AND k.repeat > 1;

CREATE FUNCTION pg_temp.compared(a uuid, b uuid, of_case text) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.of_alice(format($q$SELECT concat_ws(' ', verdict, latency, scores, round(p_value::numeric, 4),
                                                      round(adjusted_p::numeric, 4))
                                      FROM vrm.compare_suite_runs(%L, %L) WHERE case_name = %L$q$, a, b, of_case))
$$;
SELECT is(pg_temp.compared(:'first', :'second', 'books'), 'regressed faster lower 0.0022 0.0043',
          'a case that fails now, after shorter times and with lower scores');
SELECT is(pg_temp.compared(:'first', :'second', 'kind'), 'improved slower higher 0.0022 0.0043',
          'and one that is the other way round');
SELECT is(pg_temp.compared(:'second', :'first', 'books'), 'improved slower higher 0.0022 0.0043',
          'what was better is worse from the other side');
SELECT is(pg_temp.compared(:'first', :'second', 'plain'), 'not enough runs not enough runs not enough runs 1.0000',
          'a case of which nothing can be told is not one of those that are corrected for');
SELECT is(pg_temp.of_alice(format('SELECT concat_ws('' '', verdict, only_a, only_b)
                                   FROM vrm.compare_versions_in_all(%L, 1, 2)', :'agent')), 'same 6 6',
          'in all, one makes up for the other');

-- who may compare what
SELECT pg_temp.as_user(:'bob', $$INSERT INTO vrm.test_cases (name) VALUES ('his') RETURNING id$$) AS his \gset
SELECT pg_temp.as_user(:'bob', format('SELECT vrm.start_suite(ARRAY[%L]::uuid[], %L)', :'his', :'bobs_agent'))
    AS bobs \gset
SELECT is(pg_temp.of_alice(format('SELECT vrm.compare_suite_runs(%L, %L)', :'first', :'bobs')), 'P0002',
          'nobody compares with the runs of others');
SELECT is(pg_temp.of_alice(format('SELECT vrm.compare_suite_runs(%L, %L)', :'bobs', :'first')), 'P0002',
          'on either side');
SELECT is(pg_temp.of_alice(format('SELECT vrm.compare_suite_runs(%L, NULL)', :'first')), 'P0002', 'or with nothing');

-- the gate compares with the last run of another version
SELECT pg_temp.started(2) AS third \gset
UPDATE vrm.suite_runs SET min_pass_rate = 0;
UPDATE vrm.suite_calls SET status = 'completed', passed = suite_run_id = :'second';
SELECT is(pg_temp.of_alice(format('SELECT g FROM vrm.suite_gate(%L) AS g', :'third')), '(t,"0 of 18 calls passed")',
          'not with one of its own version');
UPDATE vrm.suite_calls SET passed = true WHERE suite_run_id = :'first';
SELECT is(pg_temp.of_alice(format('SELECT g.passed FROM vrm.suite_gate(%L) AS g', :'third')), 'false',
          'but with what the version before it did');
SELECT is(pg_temp.of_alice(format('SELECT g.passed FROM vrm.suite_gate(%L) AS g', :'first')), 'true',
          'and never with what came later');

-- limits of what may be started
CREATE FUNCTION pg_temp.of_many(cases integer, repeats integer) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.of_alice(format(
        'SELECT vrm.start_suite(ARRAY(SELECT vrm.uuid7() FROM generate_series(1, %s)), %L, repeats => %s)',
        cases, (SELECT id FROM vrm.agents WHERE agent_id = 'desk'), repeats))
$$;
SELECT is(pg_temp.of_many(1001, 1), '22023', 'a thousand cases are enough');
SELECT is(pg_temp.of_many(101, 1000), '22023', 'and a hundred thousand calls');
SELECT is(pg_temp.of_many(100, 1000), 'P0002', 'which may be as many as that, of cases that there are');

SELECT finish();
ROLLBACK;
