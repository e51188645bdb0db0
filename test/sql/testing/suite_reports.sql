-- Verdicts, reports, comparisons and the gate.
BEGIN;
SELECT plan(56);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob \gset
SELECT pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('desk')$$) AS agent,
       pg_temp.as_user(:'bob', $$SELECT vrm.create_agent('sales')$$) AS bobs_agent \gset
CREATE FUNCTION pg_temp.of_alice(query text) RETURNS text LANGUAGE sql AS
    $$ SELECT pg_temp.as_user((SELECT id FROM auth.users WHERE email = 'alice@example.org'), query) $$;
SELECT pg_temp.of_alice($$INSERT INTO vrm.test_cases (name, evaluator_metrics)
    VALUES ('books', '{"checks": [{"check": "said", "text": "booked"}]}') RETURNING id$$) AS books,
       pg_temp.of_alice($$INSERT INTO vrm.test_cases (name) VALUES ('plain') RETURNING id$$) AS plain,
       pg_temp.of_alice($$INSERT INTO vrm.test_cases (name, evaluator_metrics)
    VALUES ('kind', '{"metrics": [{"metric": "tone", "decides": true, "threshold": 0.5}]}') RETURNING id$$) AS kind,
       pg_temp.of_alice($$INSERT INTO vrm.metrics (name, prompt) VALUES ('tone', 'Kind?') RETURNING id$$) AS tone,
       pg_temp.of_alice($$INSERT INTO vrm.metrics (name, prompt) VALUES ('facts', 'Right?') RETURNING id$$) AS facts,
       pg_temp.as_user(:'bob', $$INSERT INTO vrm.metrics (name, prompt) VALUES ('tone', 'x') RETURNING id$$)
           AS bobs_tone \gset

-- Runs a suite of cases; of "books" so many calls, the first ones, say what they should.
CREATE FUNCTION pg_temp.play(suite_run uuid, good integer) RETURNS void LANGUAGE sql AS $$
    SELECT pg_temp.of_alice('SELECT count(*) FROM vrm.claim_test_run(most => 1000)');
    SELECT pg_temp.of_alice(format('SELECT vrm.complete_test_run(%L, %L)', c.run_id, format(
        '{"duration": "1:00", "transcript": [{"speaker": "customer", "message": "hi", "time": "0:00", "ms": 0},
          {"speaker": "Agent", "message": "%s", "time": "0:01", "ms": %s}]}',
        CASE WHEN c.repeat <= good OR k.name <> 'books' THEN 'It is booked' ELSE 'No' END, 500 + 10 * c.repeat)))
    FROM vrm.suite_calls c JOIN vrm.suite_run_cases k USING (user_id, suite_run_id, position)
    WHERE c.suite_run_id = play.suite_run
$$;

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
UPDATE vrm.suite_run_cases SET name = E'a "case" & <b>\x01' WHERE suite_run_id = :'first' AND name = 'plain';
SELECT is(pg_temp.of_alice(format($$SELECT (xpath('//testcase/@name', x))[2] FROM vrm.suite_junit(%L) AS x$$,
                                  :'first')), 'a "case" &amp; &lt;b&gt;?', 'whatever cases are called');
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

-- verdicts
SELECT pg_temp.of_alice(format('SELECT vrm.start_suite(ARRAY[%L, %L]::uuid[], %L)', :'kind', :'plain', :'agent'))
    AS judged \gset
SELECT pg_temp.play(:'judged', 0) \g /dev/null
SELECT run_id AS run FROM vrm.suite_calls WHERE suite_run_id = :'judged' AND position = 1 \gset
SELECT run_id AS other FROM vrm.suite_calls WHERE suite_run_id = :'judged' AND position = 2 \gset
CREATE FUNCTION pg_temp.passed(run uuid) RETURNS boolean
    LANGUAGE sql AS $$ SELECT passed FROM vrm.suite_calls WHERE run_id = run $$;
CREATE FUNCTION pg_temp.verdict(run uuid, metric uuid, rest text) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.of_alice(format('SELECT vrm.record_verdict(%L, %L, %s)', run, metric, rest)) $$;
SELECT is(pg_temp.passed(:'run'), NULL, 'a metric that decides is waited for');
SELECT is(pg_temp.of_alice(format('SELECT g FROM vrm.suite_gate(%L) AS g', :'judged')),
          '(f,"calls without a verdict: 1")', 'by the gate, too');
SELECT is(pg_temp.passed(:'other'), true, 'a call that nobody has to judge has passed');
SELECT is(pg_temp.verdict(:'run', :'tone', $$'gpt', score => 0.4, rationale => 'curt'$$), '', 'a judge gives a score');
SELECT is(pg_temp.passed(:'run'), false, 'below the threshold');
SELECT is((SELECT failed_metrics FROM vrm.suite_calls WHERE run_id = :'run'),
          '[{"check": "tone", "reason": "gpt: curt"}]', 'which is why it failed');
SELECT is(pg_temp.verdict(:'run', :'tone', $$'claude', score => 0.6$$) || pg_temp.verdict(:'run', :'tone',
    $$'gemini', true$$), '', 'two others think better of it');
SELECT is(pg_temp.passed(:'run'), true, 'the majority counts');
SELECT is(pg_temp.verdict(:'run', :'tone', $$'bob@example.org', false, rationale => 'rude'$$), '',
          'a person says something');
SELECT is(pg_temp.passed(:'run'), false, 'and overrules them all');
SELECT is((SELECT string_agg(judge, ' ' ORDER BY at, judge) FROM vrm.metric_results WHERE run_id = :'run'),
          'bob@example.org claude gemini gpt', 'all is kept');
SELECT is((SELECT count(*) FROM vrm.audit_log WHERE relation = 'vrm.metric_results' AND action = 'INSERT'), 4::bigint,
          'and audited');
SELECT is((SELECT count(*) FROM vrm.audit_log WHERE new::text LIKE '%rude%'), 0::bigint, 'but for the words');
SELECT is(pg_temp.error_of(:'alice',
                           format($$SELECT vrm.record_verdict(%L, %L, 'gpt', true)$$, :'run',
                                  :'tone')) LIKE '23505 | judge "gpt" has said something of test run%', true,
          'a judge answers once');
SELECT is(pg_temp.passed(:'run'), false, 'and changes nothing by a second answer');
SELECT is(pg_temp.verdict(:'other', :'facts', $$'gpt', false$$), '', 'a metric that the case does not name');
SELECT is(pg_temp.passed(:'other'), false, 'decides where none is said to');
SELECT is(pg_temp.verdict(:'other', :'facts', $$'an auditor', true, is_person => true$$), '',
          'a person by another name');
SELECT is(pg_temp.passed(:'other'), true, 'overrules as well');
SELECT is(pg_temp.of_alice(format('SELECT pass_rate FROM vrm.metric_summary(%L)', :'facts')), '1.000',
          'in the summary of the metric, too');
SELECT is(pg_temp.verdict(:'run', :'tone', rest) || pg_temp.verdict(:'run', :'bobs_tone', $$'x', true$$),
          state || 'P0002', rest)
FROM (VALUES ($$'x'$$, '22023'), ($$'x', score => 'NaN'$$, '22023'), ($$NULL, true$$, '22023'),
      ($$'x', true, case_id => '018f0000-0000-7000-8000-0000000000a1'$$, 'P0002')) AS r (rest, state);
SELECT is(pg_temp.as_user(:'bob', format($$SELECT vrm.record_verdict(%L, %L, 'x', true)$$, :'run', :'bobs_tone')),
          'P0002', 'nobody judges calls of others');

-- agreement: of four calls two judges agree on three, one is judged by one alone
SELECT pg_temp.of_alice(format('SELECT vrm.start_suite(ARRAY[%L]::uuid[], %L, repeats => 5)', :'plain', :'agent'))
    AS agreed \gset
SELECT pg_temp.play(:'agreed', 0) \g /dev/null
SELECT count(pg_temp.verdict(k.run_id, :'tone', format('%L, %L, %s', judge, substr(votes, repeat, 1) = 'y', repeat)))
FROM vrm.suite_calls k, (VALUES ('gpt', 'yynny'), ('claude', 'yyyn ')) AS j (judge, votes)
WHERE k.suite_run_id = :'agreed' AND substr(votes, repeat, 1) <> ' ' \g /dev/null
SELECT is(pg_temp.of_alice(format($$SELECT concat_ws(' ', metric, judges, calls, cohen_kappa,
                                                     round(krippendorff_alpha::numeric, 3), score_alpha)
    FROM vrm.judge_agreement(%L)$$, :'agreed')), 'tone {claude,gpt} 5 0.5 0.533 1',
    'how far judges agree beyond chance');
SELECT is(pg_temp.as_user(:'bob', format('SELECT vrm.judge_agreement(%L)', :'agreed')), 'P0002',
          'not of runs of others');

SELECT finish();
ROLLBACK;
