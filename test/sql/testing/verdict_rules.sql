-- What verdicts come to: ties, thresholds, weights, other cases, and calls that were given up.
BEGIN;
SELECT plan(25);
\ir ../include/played_suites.sql

CREATE FUNCTION pg_temp.passed(run uuid) RETURNS text
    LANGUAGE sql AS $$ SELECT coalesce(passed::text, 'nobody knows') FROM vrm.suite_calls WHERE run_id = run $$;
CREATE FUNCTION pg_temp.verdict(run uuid, metric uuid, rest text) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.of_alice(format('SELECT vrm.record_verdict(%L, %L, %s)', run, metric, rest)) $$;
-- A call of a case that is judged so.
CREATE FUNCTION pg_temp.call_of(metrics text) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    suite_run uuid;
BEGIN
    suite_run := pg_temp.of_alice(format(
        'WITH made AS (INSERT INTO vrm.test_cases (name, evaluator_metrics) VALUES (vrm.uuid7()::text, %L) RETURNING id)
         SELECT id FROM made', metrics));
    suite_run := pg_temp.of_alice(format(
        'SELECT vrm.start_suite(ARRAY[%L]::uuid[], (SELECT id FROM vrm.agents LIMIT 1))', suite_run));
    PERFORM pg_temp.play(suite_run, 0);
    RETURN (SELECT run_id FROM vrm.suite_calls k WHERE k.suite_run_id = suite_run);
END
$$;

-- votes
SELECT pg_temp.call_of('{"metrics": [{"metric": "tone", "decides": true}]}') AS tied \gset
SELECT is(pg_temp.verdict(:'tied', :'tone', $$'gpt', true$$) || pg_temp.passed(:'tied'), 'true', 'one judge for it');
SELECT is(pg_temp.verdict(:'tied', :'tone', $$'claude', false$$) || pg_temp.passed(:'tied'), 'false',
          'half of the judges are no majority');
SELECT is(pg_temp.of_alice(format($$DELETE FROM vrm.metric_results WHERE run_id = %L AND judge = 'claude' RETURNING 1$$,
                                  :'tied')) || pg_temp.passed(:'tied'), '1true',
          'a verdict that is taken back is missed');
INSERT INTO vrm.metric_results (user_id, metric_id, run_id, case_id, judge, passed)
    VALUES (:'alice', :'tone', :'tied', vrm.uuid7(), 'claude', false);
SELECT is(pg_temp.passed(:'tied'), 'true', 'one about another case says nothing');

-- people
SELECT pg_temp.call_of('{"metrics": [{"metric": "tone", "decides": true}, {"metric": "facts", "decides": true}]}')
    AS both \gset
SELECT pg_temp.verdict(:'both', :'tone', $$'person Ann', true$$), pg_temp.verdict(:'both', :'facts', $$'gpt', false$$)
    \g /dev/null
SELECT is(pg_temp.passed(:'both'), 'false', 'who judges by one metric overrules nobody by another');
SELECT is(pg_temp.verdict(:'both', :'facts', format('%L, true', :'alice')) || pg_temp.passed(:'both'), 'true',
          'the owner is a person by the id');
SELECT is(pg_temp.verdict(:'both', :'facts', $$'human at the desk', false$$) || pg_temp.passed(:'both'), 'false',
          'people outvote each other like judges');
SELECT is((SELECT string_agg(judge, ' ' ORDER BY judge) FROM vrm.metric_results
           WHERE run_id = :'both' AND NOT is_person), 'gpt', 'and what a program says is kept as that');

-- scores
SELECT pg_temp.call_of('{"metrics": [{"metric": "tone", "decides": true, "threshold": 0.5}]}') AS scored \gset
SELECT is(pg_temp.verdict(:'scored', :'tone', $$'gpt', score => 0.5$$) || pg_temp.passed(:'scored'), 'true',
          'the threshold itself is enough');
SELECT is(pg_temp.verdict(:'scored', :'tone', format('%L, score => %L', 'x', score)), '22023', score || ' is no score')
FROM unnest('{Infinity,-Infinity,NaN,1e101}'::text[]) AS score;
SELECT is(pg_temp.verdict(:'scored', :'tone', $$'y', NULL, -1e100$$) || pg_temp.passed(:'scored'), 'false',
          'but any other number is');
SELECT is(pg_temp.verdict(:'scored', :'tone', format('%L, true', repeat('j', 201))), '22023', 'names have an end');

-- weights: three quarters, one quarter, and 0.7 of all is needed
SELECT pg_temp.call_of('{"threshold": 0.7, "metrics": [{"metric": "tone", "weight": 3}, "facts"]}') AS weighed,
       pg_temp.call_of('{"threshold": 0.7, "metrics": [{"metric": "tone", "weight": 3}, "facts"]}') AS other,
       pg_temp.call_of('{"threshold": 0.7, "metrics": [{"metric": "tone", "weight": 3}, "facts"]}') AS third \gset
SELECT is(pg_temp.passed(:'weighed'), 'nobody knows', 'a threshold waits for verdicts');
SELECT is(pg_temp.verdict(:'weighed', :'facts', $$'gpt', true$$) || pg_temp.passed(:'weighed'), 'nobody knows',
          'as long as it may be met');
SELECT is(pg_temp.verdict(:'weighed', :'tone', $$'gpt', true$$) || pg_temp.passed(:'weighed'), 'true',
          'which it is then');
SELECT is(pg_temp.verdict(:'other', :'tone', $$'gpt', true$$) || pg_temp.passed(:'other'), 'true',
          'what weighs enough decides alone');
SELECT is(pg_temp.verdict(:'third', :'tone', $$'gpt', false$$) || pg_temp.passed(:'third'), 'false',
          'and what cannot be met any more is not waited for');

-- calls that were given up, or failed
SELECT pg_temp.of_alice(format('SELECT vrm.start_suite(ARRAY[%L]::uuid[], %L, repeats => 2)', :'plain', :'agent'))
    AS given_up \gset
SELECT pg_temp.of_alice('SELECT run_id FROM vrm.claim_test_run()') AS failed \gset
SELECT pg_temp.of_alice(format($$SELECT vrm.fail_test_run(%L, 'no answer')$$, :'failed')),
       pg_temp.of_alice(format('SELECT vrm.cancel_suite(%L)', :'given_up')) \g /dev/null
SELECT run_id AS cancelled FROM vrm.suite_calls WHERE suite_run_id = :'given_up' AND run_id <> :'failed' \gset
SELECT is(pg_temp.verdict(:'cancelled', :'tone', $$'gpt', true$$) || pg_temp.passed(:'cancelled'), 'nobody knows',
          'a call that was given up has neither passed nor failed');
SELECT is(pg_temp.verdict(:'failed', :'tone', $$'person Ann', true$$) || pg_temp.passed(:'failed'), 'false',
          'no verdict saves a call that failed');
SELECT is(pg_temp.of_alice(format($$SELECT concat_ws(' ', runs, passed, undecided, waiting) FROM vrm.suite_report(%L)
                                  WHERE case_id IS NULL$$, :'given_up')), '1 0 0 0', 'the report counts the one');
SELECT is(pg_temp.of_alice(format('SELECT g FROM vrm.suite_gate(%L) AS g', :'given_up')),
          '(f,"0 of 1 calls passed, 100.0 % are needed")', 'and the gate');
SELECT is(pg_temp.as_user(:'bob', format($$INSERT INTO vrm.metric_results (user_id, metric_id, run_id, judge, passed)
                                         VALUES (%L, %L, %L, 'x', true) RETURNING 1$$, :'alice', :'tone', :'failed')),
          '42501', 'nobody writes verdicts past the function');
SELECT finish();
ROLLBACK;
