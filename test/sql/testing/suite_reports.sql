-- Reports of suites, comparisons and the gate.
BEGIN;
SELECT plan(31);
\ir ../include/played_suites.sql

SELECT pg_temp.of_alice(format('SELECT vrm.start_suite(ARRAY[%L, %L]::uuid[], %L, repeats => 5)', :'books', :'plain',
                               :'agent')) AS first \gset
SELECT is(pg_temp.of_alice(format('SELECT g FROM vrm.suite_gate(%L) AS g', :'first')),
          '(f,"calls that have not ended: 10; no call was judged")', 'nothing has run: the gate is shut');
SELECT pg_temp.play(:'first', 4) \g /dev/null
SELECT is(pg_temp.of_alice(format($$SELECT concat_ws(' ', runs, passed, pass_rate, round(lower::numeric, 3),
                                                     round(upper::numeric, 3), pass_at_k, pass_hat_k, flaky,
                                                     answering_time)
    FROM vrm.suite_report(%L) WHERE case_name = 'books'$$, :'first')), '5 4 0.8 0.376 0.964 1 0 t 548',
    'a case of the report');
SELECT is(pg_temp.of_alice(format($$SELECT failures FROM vrm.suite_report(%L) WHERE case_name = 'books'$$, :'first')),
          '[{"calls": 1, "check": "said: booked", "reason": "was not said"}]', 'says what failed and why');
SELECT is(pg_temp.of_alice(format($$SELECT concat_ws(' ', tries, pass_at_k, round(pass_hat_k::numeric, 9))
                                  FROM vrm.suite_report(%L, k => 2) WHERE case_name = 'books'$$, :'first')),
          '2 1 0.600000000', 'for any k');
SELECT is(pg_temp.of_alice(format($$SELECT concat_ws(' ', case_id IS NULL, runs, passed, pass_rate, pass_hat_k, flaky)
                                  FROM vrm.suite_report(%L) WHERE case_name = 'all cases'$$, :'first')),
          't 10 9 0.9 0.5 t', 'and of all cases the means');
SELECT is(pg_temp.error_of(:'alice',
                           format('SELECT vrm.suite_report(%L, k => 6)',
                                  :'first')) LIKE '22023 | k must be from 1 to 5 | Got 6;%', true,
          'no k beyond the repeats');
SELECT is(pg_temp.as_user(:'bob', format('SELECT vrm.%s(%L)', f, :'first')), 'P0002', 'not for others: ' || f)
FROM unnest('{suite_report,suite_gate,suite_junit}'::text[]) AS f;
SELECT is(pg_temp.as_anon(format('SELECT vrm.suite_report(%L)', :'first')), '42501', 'nor for anon');
SELECT is(pg_temp.of_alice('SELECT vrm.suite_report(NULL)'), 'P0002', 'of nothing nothing');

-- the gate
SELECT is(pg_temp.of_alice(format('SELECT g FROM vrm.suite_gate(%L) AS g', :'first')),
          '(f,"9 of 10 calls passed, 100.0 % are needed")', 'without a suite all calls have to pass');
UPDATE vrm.suite_runs SET min_pass_rate = 0.9 WHERE id = :'first';
SELECT is(pg_temp.of_alice(format('SELECT g FROM vrm.suite_gate(%L) AS g', :'first')), '(t,"9 of 10 calls passed")',
          'a suite may ask for less');
UPDATE vrm.suite_runs SET min_pass_hat_k = 0.6, max_answering_time = 540 WHERE id = :'first';
SELECT is(pg_temp.of_alice(format('SELECT g FROM vrm.suite_gate(%L) AS g', :'first')),
          '(f,"pass^5 is 0.500, 0.6 is needed; p95 of the answering time is 548 ms, 540 ms are allowed")',
          'or for more');
UPDATE vrm.suite_runs SET min_pass_hat_k = NULL, max_answering_time = NULL WHERE id = :'first';
SELECT is(pg_temp.of_alice(format($$SELECT (xpath('count(//testcase)', x))[1] || ' '
                                  || (xpath('count(//failure)', x))[1] || ' '
                                  || (xpath('/testsuites/testsuite/@failures', x))[1]
    FROM vrm.suite_junit(%L) AS x$$, :'first')), '3 1 1', 'JUnit: a test for each case and the gate');
UPDATE vrm.suite_run_cases SET name = E'a "case" & <b>\x01\uffff' WHERE suite_run_id = :'first' AND name = 'plain';
SELECT is(pg_temp.of_alice(format($$SELECT (xpath('//testcase/@name', x))[2] FROM vrm.suite_junit(%L) AS x$$,
                                  :'first')), 'a "case" &amp; &lt;b&gt;??', 'whatever cases are called');
UPDATE vrm.suite_run_cases SET name = 'plain' WHERE suite_run_id = :'first' AND name <> 'books';

-- comparisons
UPDATE vrm.agents SET persona = 'worse' WHERE id = :'agent';
SELECT pg_temp.of_alice(format('SELECT vrm.start_suite(ARRAY[%L, %L]::uuid[], %L, repeats => 5)', :'books', :'plain',
                               :'agent')) AS second \gset
SELECT is((SELECT agent_version FROM vrm.suite_runs WHERE id = :'second'), 2, 'a suite runs on what the agent is');
SELECT pg_temp.play(:'second', 0) \g /dev/null
CREATE FUNCTION pg_temp.compared() RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.of_alice(format($q$SELECT string_agg(concat_ws(' ', case_name, verdict, passed_a, passed_b), ', ')
                                       FROM vrm.compare_versions(%L, 1, 2)$q$,
                                   (SELECT id FROM vrm.agents WHERE agent_id = 'desk')))
$$;
SELECT is(pg_temp.compared(), 'books not enough runs 4 0, plain same 5 5',
          'four of five against none, and a second case: not beyond doubt');
SELECT pg_temp.of_alice(format('SELECT vrm.start_suite(ARRAY[%L]::uuid[], %L, 1, repeats => 5)', :'books', :'agent'))
    AS more \gset
SELECT is((SELECT agent_version FROM vrm.suite_runs WHERE id = :'more'), 1, 'an older version is run again');
SELECT pg_temp.play(:'more', 5) \g /dev/null
SELECT is(pg_temp.compared(), 'books regressed 9 0, plain same 5 5', 'all runs of a version count');
SELECT is(pg_temp.of_alice(format($$SELECT concat_ws(' ', verdict, latency, latency_a, latency_b, repeats_needed)
                                  FROM vrm.compare_suite_runs(%L, %L) WHERE case_name = 'books'$$, :'second', :'more')),
          'improved same 530 530 2', 'of two runs, the other way round');
SELECT is(pg_temp.of_alice(format('SELECT c FROM vrm.compare_versions_in_all(%L, 1, 2) AS c', :'agent')),
          '(same,10,4,0,0.125)', 'and of all cases together, by pairs');
SELECT is(pg_temp.of_alice(format($$SELECT string_agg(concat_ws(' ', case_name, version, passed, runs), ', ')
                                  FROM vrm.version_matrix(%L)$$, :'agent')),
          'books 1 9 10, books 2 0 5, plain 1 5 5, plain 2 5 5', 'each case on each version');
SELECT is(pg_temp.as_user(:'bob', format('SELECT vrm.version_matrix(%L)', :'agent')), 'P0002', 'of one''s own agents');
SELECT is(pg_temp.of_alice(format('SELECT g FROM vrm.suite_gate(%L) AS g', :'second')),
          '(f,"5 of 10 calls passed, 100.0 % are needed")', 'what is not beyond doubt is no regression for the gate');
UPDATE vrm.suite_calls SET passed = true WHERE suite_run_id = :'first';
UPDATE vrm.suite_runs SET min_pass_rate = 0;
SELECT is(pg_temp.of_alice(format('SELECT g FROM vrm.suite_gate(%L) AS g', :'second')),
          '(f,"regressed: ""books"" (0 of 5, was 5 of 5)")', 'what is, shuts it whatever the threshold');
SELECT is(pg_temp.of_alice(format('SELECT vrm.compare_versions(%L, 1, 9)', :'agent')), 'P0002', 'no version 9');
SELECT is(pg_temp.of_alice(format('SELECT vrm.compare_versions(%L, 1, NULL)', :'agent')), '22004', 'no version');
SELECT is(pg_temp.as_user(:'bob', format('SELECT vrm.compare_versions(%L, 1, 2)', :'agent')), 'P0002',
          'no agent of others');
SELECT is(pg_temp.as_user(:'bob', format('SELECT vrm.compare_suite_runs(%L, %L)', :'first', :'second')), 'P0002',
          'no runs of others');
SELECT pg_temp.of_alice(format('SELECT vrm.start_suite(ARRAY[%L]::uuid[], %L, repeats => 3)', :'plain', :'agent'))
    AS few \gset
SELECT pg_temp.play(:'few', 0) \g /dev/null
SELECT is(pg_temp.of_alice(format($$SELECT string_agg(verdict, ' ') FROM vrm.compare_suite_runs(%L, %L)$$, :'few',
                                  :'few')), 'not enough runs', 'three runs can show nothing');

SELECT finish();
ROLLBACK;
