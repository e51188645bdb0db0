-- Suites: what is queued, what is refused, and what is run by name.
BEGIN;
SELECT plan(67);
\ir ../include/suite.sql

-- evaluator_metrics have a shape
SELECT is(pg_temp.error_of(:'alice',
                           $$INSERT INTO vrm.test_cases (name, evaluator_metrics)
                           VALUES ('x', '{"checks": [{"check": "sung"}]}')$$)
              LIKE '22023 | evaluator_metrics of test case "x" are not valid | /checks/0/check: must be said,%', true,
              'a bad document is refused, with its place');
SELECT is(pg_temp.of_alice(format($$UPDATE vrm.test_cases SET evaluator_metrics = '{"threshold": 7}' WHERE id = %L$$,
                                  :'plain')), '22023',
          'a threshold out of range, too');
SELECT is(pg_temp.error_of(:'alice', $$INSERT INTO vrm.test_cases (name, evaluator_metrics)
    VALUES ('x', '{"checks": [{"check": "no_interruption"}, {"check": "said", "pattern": "(a*)*\\1"}]}')$$)
              LIKE '%/checks/1/pattern: back references are not allowed: they have no bound%', true,
              'a pattern that may explode is refused by name');
SELECT is(vrm.evaluator_metrics_error('{"checks": [{"check": "said", "pattern": "a(b"}]}'),
          '/checks/0/pattern: parentheses () not balanced', 'one that is none as well');
SELECT is(vrm.evaluator_metrics_error('{"checks": [{"check": "said", "pattern": "((a{1,255}){1,255}){1,255}"}]}'),
          '/checks/0/pattern: is too complex: more than 250 parts may be left out, once repetitions are written out',
          'and one that is too large');
SELECT is(vrm.evaluator_metrics_error(jsonb_build_object('checks', jsonb_build_array(
              jsonb_build_object('check', 'not_said', 'pattern', pattern)))),
          '/checks/0/pattern: looking ahead or behind is not allowed: its time grows with the square of the text',
          'and one that reads the text from each of its places: ' || pattern)
FROM unnest('{(?=a*b)c,(?!a*b)c,(?<=ba*)c,(?<!ba*)c}'::text[]) AS pattern;
SELECT is(vrm.evaluator_metrics_error('{"checks": [{"check": "said", "pattern": "\\mhello\\M|^a\\y"}]}'), NULL,
          'edges of words are fine');
SELECT is(vrm.evaluator_metrics_error('["task_completion"]'), NULL, 'names of metrics are fine, as ever');

-- a list of cases
SELECT matches(:'suite_run'::text, '^[0-9a-f]{8}-', 'start_suite gives the run of the suite');
SELECT is((SELECT string_agg(concat_ws(' ', status, agent_version, test_case_ids ->> 0 = :'greets'), ', ' ORDER BY id)
           FROM vrm.test_runs),
          'queued 1 t, queued 1 f, queued 1 f, queued 1 t, queued 1 f, queued 1 f',
          'a call for each case and repeat is queued, in turns');
SELECT is((SELECT count(*) FROM vrm.test_run_cases), 6::bigint, 'each with its case');
SELECT is((SELECT string_agg(name, ', ' ORDER BY position) FROM vrm.suite_run_cases), 'greets, plain, shared',
          'the cases are kept as they are');
SELECT is(pg_temp.as_user(:'bob', 'SELECT count(*) FROM vrm.suite_runs') || pg_temp.as_user(:'bob',
    'SELECT count(*) FROM vrm.suite_run_cases')
          || pg_temp.as_user(:'bob', 'SELECT count(*) FROM vrm.suite_calls') || pg_temp.as_user(:'bob',
              'SELECT count(*) FROM vrm.run_queue'), '0000',
          'nobody else sees any of it');

-- what is refused, and leaves nothing behind
CREATE FUNCTION pg_temp.refused(arguments text, VARIADIC ids text[]) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.error_of((SELECT id FROM auth.users WHERE email = 'alice@example.org'),
                            format('SELECT vrm.start_suite(' || arguments || ')', VARIADIC ids))
$$;
SELECT is(pg_temp.refused('''{}'', %L',
                          :'agent') LIKE '22023 | a suite must have 1 to 1000 cases | Got 0. | SELECT id, name%', true,
          'no cases');
SELECT is(pg_temp.refused('NULL, %L', :'agent') LIKE '22023 | a suite must have%', true, 'null for cases');
SELECT is(pg_temp.refused('ARRAY[%L]::uuid[], %L, repeats => 0', :'plain',
                          :'agent') LIKE '22023 | repeats must be from 1 to 1000%Got 0 of 1.%', true, 'no repeat');
SELECT is(pg_temp.refused('ARRAY[%L]::uuid[], %L, repeats => 100000', :'plain',
                          :'agent') LIKE '22023 | repeats must be%', true, '100,000 repeats');
SELECT is(pg_temp.refused('ARRAY[%L]::uuid[], %L, repeats => 2147483647', :'plain',
                          :'agent') LIKE '22023 | repeats must be%', true, 'all the repeats that there are');
SELECT is(pg_temp.refused('ARRAY[%L]::uuid[], %L, repeats => NULL', :'plain',
                          :'agent') LIKE '22023 | repeats must be%', true, 'null repeats');
SELECT is(pg_temp.refused('ARRAY[%L, %1$L]::uuid[], %L', :'plain',
                          :'agent') LIKE '22023 | test case "%" is there twice%', true, 'a case twice');
SELECT is(pg_temp.refused('ARRAY[%L]::uuid[], %L', :'private', :'agent') LIKE 'P0002 | test case "%" does not exist%',
          true, 'a case of somebody else');
SELECT is(pg_temp.refused('ARRAY[%L, NULL]::uuid[], %L', :'plain',
                          :'agent') LIKE 'P0002 | test case "null" does not exist%', true, 'a null among the cases');
SELECT is(pg_temp.refused('ARRAY[%L]::uuid[], %L', :'plain', :'bobs_agent') LIKE 'P0002 | agent "%" does not exist%',
          true, 'an agent of somebody else');
SELECT is(pg_temp.refused('ARRAY[%L]::uuid[], %L, 2', :'plain', :'agent') LIKE 'P0002 | agent "%" has no version 2%',
          true, 'a version that is not there');
SELECT is(pg_temp.refused('ARRAY[%L]::uuid[], %L, suite => %1$L', :'plain',
                          :'agent') LIKE 'P0002 | suite "%" does not exist%', true, 'a suite that is not there');
SELECT is(pg_temp.refused('ARRAY[%L]::uuid[], %L, time_limit => 0', :'plain',
                          :'agent') LIKE '22023 | time_limit must be%', true, 'no time');
SELECT is(pg_temp.as_user(NULL, format('SELECT vrm.start_suite(ARRAY[%L]::uuid[], %L)', :'plain', :'agent')), '28000',
          'nobody');
SELECT is(pg_temp.as_anon(format('SELECT vrm.start_suite(ARRAY[%L]::uuid[], %L)', :'plain', :'agent')), '42501',
          'anon');
ALTER TABLE vrm.test_cases DISABLE TRIGGER check_changed_evaluator_metrics;
UPDATE vrm.test_cases SET evaluator_metrics = '"of 1.0.0"' WHERE id = :'plain';
SELECT is(pg_temp.refused('ARRAY[%L]::uuid[], %L', :'plain',
                          :'agent') LIKE '22023 | evaluator_metrics of test case "plain" are not valid%', true,
          'what an older release has taken is looked at here');
UPDATE vrm.test_cases SET evaluator_metrics = NULL WHERE id = :'plain';
ALTER TABLE vrm.test_cases ENABLE TRIGGER check_changed_evaluator_metrics;
SELECT is(concat_ws(' ', (SELECT count(*) FROM vrm.suite_runs), (SELECT count(*) FROM vrm.test_runs),
                    (SELECT count(*) FROM vrm.run_queue)), '1 6 6', 'nothing is half-done');

-- a case that goes while its suite runs
SELECT pg_temp.of_alice('SELECT count(*) FROM vrm.claim_test_run(most => 1000)') \g /dev/null
SELECT pg_temp.of_alice(format('SELECT vrm.start_suite(ARRAY[%L]::uuid[], %L)', :'plain', :'agent')) AS second \gset
SELECT is(pg_temp.of_alice(format('DELETE FROM vrm.test_cases WHERE id = %L RETURNING name', :'plain')), 'plain',
          'a case may go');
SELECT is(pg_temp.of_alice('SELECT case_name FROM vrm.claim_test_run()'), 'plain', 'the run goes on with it');
SELECT is(pg_temp.refused('ARRAY[%L]::uuid[], %L', :'plain', :'agent') LIKE 'P0002 | test case%', true,
          'a new one does not begin');

-- suites that have a name
SELECT is(pg_temp.of_alice(format($$INSERT INTO vrm.suites (name, case_ids, repeats) VALUES ('nightly', '{}', 3)$$)),
          '23514', 'a suite has cases');
SELECT is(pg_temp.of_alice(format($$INSERT INTO vrm.suites (name, case_ids) VALUES ('nightly', %L) RETURNING id$$,
                                  cases)), state, what)
FROM (VALUES (format('{%s,%s}', :'greets', vrm.uuid7()), 'P0002', 'which there are'),
             (format('{%s}', :'private'), 'P0002', 'and are the owner''s or shared'),
             (format('{%s,NULL}', :'greets'), 'P0002', 'none of them null'),
             (format('{%s,%1$s}', :'greets'), '22023', 'each once')) AS c (cases, state, what);
SELECT is(pg_temp.of_alice(format($$INSERT INTO vrm.suites (name, case_ids, min_pass_rate)
                                  VALUES ('nightly', ARRAY[%L]::uuid[], 1.5)$$, :'greets')), '23514',
          'thresholds within range');
SELECT is(split_part(pg_temp.error_of(:'alice',
                           format('INSERT INTO vrm.suites (name, case_ids, %s) VALUES (%L, ARRAY[%L]::uuid[], %L)',
                                  field, 'nightly', :'greets', value)), ' | ', 3), detail, 'and said: ' || detail)
FROM (VALUES ('repeats', '100000', 'repeats: must be from 1 to 1000, got 100000.'),
             ('min_pass_hat_k', 'NaN', 'min_pass_hat_k: must be from 0 to 1, got NaN.'),
             ('max_answering_time', '-1', 'max_answering_time: must be from 1 to 86400000 ms, got -1.'))
     AS v (field, value, detail);
SELECT is(pg_temp.error_of(:'alice',
                           format($$INSERT INTO vrm.suites (name, case_ids, metrics)
                                  VALUES ('nightly', ARRAY[%L]::uuid[], '{"checks": 1}')$$, :'greets'))
              LIKE '22023 | metrics of suite "nightly" are not valid | /checks: must be an array%', true,
              'and metrics of the same shape');
SELECT is(pg_temp.of_alice(format($$INSERT INTO vrm.suites (user_id, id, name, case_ids, repeats, created_at)
              VALUES (DEFAULT, DEFAULT, 'saved', ARRAY[%L]::uuid[], %s, DEFAULT) ON CONFLICT (user_id, name)
              DO UPDATE SET user_id = excluded.user_id, repeats = excluded.repeats RETURNING repeats$$, :'greets', n)),
          n, 'a suite is saved by its name, ' || n)
FROM unnest(ARRAY['1', '2']) AS n;
SELECT pg_temp.of_alice($$DELETE FROM vrm.suites WHERE name = 'saved' RETURNING 1$$) \g /dev/null
SELECT pg_temp.of_alice(format($$INSERT INTO vrm.suites (name, case_ids, repeats, metrics)
                               VALUES ('nightly', ARRAY[%L]::uuid[], 3, '["tone"]') RETURNING id$$, :'greets'))
                               AS suite \gset
SELECT pg_temp.of_alice(format('SELECT vrm.start_suite(NULL, %L, suite => %L)', :'agent', :'suite')) AS nightly \gset
SELECT is((SELECT count(*) FROM vrm.suite_calls WHERE suite_run_id = :'nightly'), 3::bigint,
          'it is run as often as it says');
SELECT is((SELECT metrics FROM vrm.suite_run_cases WHERE suite_run_id = :'nightly'),
          '{"checks": [{"text": "hello", "check": "said"}], "metrics": ["tone"]}',
          'by what the case and the suite ask for');
SELECT is(pg_temp.as_user(:'bob', format('SELECT vrm.start_suite(NULL, %L, suite => %L)', :'bobs_agent', :'suite')),
          'P0002', 'and by its owner');
SELECT pg_temp.of_alice('SELECT run_id FROM vrm.claim_test_run()') AS lapsed \gset
UPDATE vrm.run_leases SET lease_until = now() - interval '1 s' WHERE run_id = :'lapsed';
INSERT INTO vrm.test_runs (user_id, id, agent_id, status)
    VALUES (:'alice', '00000000-0000-7000-8000-000000000002', :'agent', 'queued');
SAVEPOINT looked;
ROLLBACK TO looked;  -- and with it the place where this session would look on
SELECT is(pg_temp.of_alice('SELECT run_id FROM vrm.claim_test_run()'), :'lapsed', 'what was given back goes first');
SELECT is(pg_temp.of_alice('SELECT run_id FROM vrm.claim_test_run()'), '00000000-0000-7000-8000-000000000002',
          'then the oldest');
SELECT is(pg_temp.of_alice(format('SELECT vrm.cancel_suite(%L)', :'nightly')), '3',
          'its calls can be given up together');
SELECT is(pg_temp.of_alice('SELECT count(*) FROM vrm.claim_test_run()'), '0', 'then nobody runs them');
SELECT is(pg_temp.as_user(:'bob', format('SELECT vrm.cancel_suite(%L)', :'nightly')), 'P0002',
          'which others cannot do');

-- retention: runs go when all of their calls have ended, and verdicts when their call is nowhere any more
\ir ../include/retention_step.sql
CREATE FUNCTION pg_temp.preview(policy text) RETURNS text LANGUAGE sql AS
    $$SELECT due_rows || ' due, ' || held_rows || ' held, ' || plan FROM vrm.retention_preview(policy)$$;
SELECT is(pg_temp.preview('suites'), '0 due, 0 held, delete', 'runs of today stay');
UPDATE vrm.suite_runs SET started_at = now() - interval '3 years';
SELECT is(pg_temp.preview('suites'), '1 due, 0 held, delete', 'old ones go, but not while a call of theirs waits');
SELECT run_id AS held FROM vrm.suite_calls WHERE suite_run_id = :'nightly' LIMIT 1 \gset
SELECT vrm.place_hold('a dispute', run_id => :'held') AS hold \gset
SELECT is(pg_temp.preview('suites'), '0 due, 1 held, delete', 'nor under a hold on one of them');
SELECT vrm.release_hold(:'hold') \g /dev/null
SELECT vrm.place_hold('a dispute', agent_id => :'agent') AS hold \gset
SELECT is(pg_temp.preview('suites'), '0 due, 1 held, delete', 'or on the agent');
SELECT vrm.release_hold(:'hold') \g /dev/null
SELECT pg_temp.of_alice($$INSERT INTO vrm.metrics (name, prompt) VALUES ('tone', 'Kind?') RETURNING id$$) AS tone \gset
SELECT pg_temp.of_alice(format($$SELECT vrm.record_verdict(%L, %L, 'gpt', true)$$, :'held', :'tone')) \g /dev/null
UPDATE vrm.metric_results SET at = now() - interval '3 years';
SELECT is(pg_temp.preview('verdicts'), '0 due, 0 held, delete', 'verdicts stay with their call');
SELECT is(pg_temp.step('suites'), 1::bigint, 'a run goes');
SELECT is((SELECT count(*) FROM vrm.suite_runs WHERE id = :'nightly')
          + (SELECT count(*) FROM vrm.suite_run_cases WHERE suite_run_id = :'nightly')
          + (SELECT count(*) FROM vrm.suite_calls WHERE suite_run_id = :'nightly'), 0::bigint, 'with all that it had');
SELECT is((SELECT count(*) FROM vrm.suite_runs), 2::bigint, 'the others are there');
DELETE FROM vrm.test_runs WHERE id = :'held';
SELECT is(pg_temp.step('verdicts'), 1::bigint, 'a verdict on a call that is nowhere goes');
SELECT is((SELECT string_agg(target, ' ' ORDER BY target) FROM vrm.retention_coverage() WHERE no_policy <> 0), NULL,
          'every row has a policy');
UPDATE vrm.retention_policies SET enabled = false WHERE name = 'suites';
UPDATE vrm.suite_calls SET status = 'failed';
SELECT is((SELECT no_policy FROM vrm.retention_coverage() WHERE target = 'vrm.suite_runs'), 2::bigint,
          'unless nobody looks at it');

SELECT finish();
ROLLBACK;
