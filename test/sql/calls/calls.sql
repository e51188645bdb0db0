-- Calls: their states, what is appended to them, how they end, and what the functions refuse.
BEGIN;
SELECT plan(62);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob \gset
SELECT pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('reception')$$) AS agent,
       pg_temp.as_user(:'bob', $$SELECT vrm.create_agent('sales')$$) AS bobs_agent \gset
SELECT min(id::text) FILTER (WHERE user_id = :'alice') AS own_case,
       min(id::text) FILTER (WHERE user_id = :'bob') AS bobs_case FROM vrm.test_cases \gset

CREATE FUNCTION pg_temp.run(of_run text) RETURNS vrm.test_runs LANGUAGE sql AS
    'SELECT r FROM vrm.test_runs r WHERE id = of_run::uuid';

-- a call from beginning to end ------------------------------------------------------------------

SELECT pg_temp.as_user(:'alice', format('SELECT vrm.start_test_run(%L, ARRAY[%L]::uuid[], 120, %L)',
                                        :'agent', :'own_case', '{"to": "+15550100"}')) AS run \gset
SELECT is((pg_temp.run(:'run')).status::text, 'running', 'a call that is started runs');
SELECT is((pg_temp.run(:'run')).test_case_ids, jsonb_build_array(:'own_case'::text), 'with its test cases');
SELECT is((SELECT array_agg(case_id::text) FROM vrm.test_run_cases WHERE run_id = :'run'), ARRAY[:'own_case'],
          'which also stand in test_run_cases');
UPDATE vrm.test_runs SET test_case_ids = '[]' WHERE id = :'run';
SELECT is((SELECT count(*) FROM vrm.test_run_cases WHERE run_id = :'run'), 0::bigint, 'and keep in step');
SELECT is((pg_temp.run(:'run')).time_limit, 120, 'its time limit');
SELECT is((pg_temp.run(:'run')).outbound_call_params, '{"to": "+15550100"}', 'and its parameters');

SELECT is(pg_temp.as_user(:'alice', format($$SELECT vrm.append_transcript(%L, 'Agent', 'Hello!', '0 s')$$, :'run')), '',
          'a turn is appended');
SELECT pg_temp.as_user(:'alice',
                       format($$SELECT vrm.append_transcript(%L, 'Customer', 'Hi, "quoted"', '4.9 s')$$, :'run')),
       pg_temp.as_user(:'alice', format($$SELECT vrm.append_transcript(%L, 'Agent', 'Bye', '61 s')$$, :'run')),
       pg_temp.as_user(:'alice',
                       format($$SELECT vrm.record_action(%L, 'Looked up the customer', at => '12 s')$$, :'run'))
                       \g /dev/null
SELECT is(pg_temp.as_user(:'alice', 'SELECT turns FROM vrm.live_calls()'), '3', 'live_calls counts the turns');
SELECT is(pg_temp.as_user(:'alice', 'SELECT last_message FROM vrm.live_calls()'), 'Bye', 'and shows the last one');
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.complete_test_run(%L, %L)', :'run',
          '{"customer": "customer@example.com", "sentiment": "positive", "duration": "2:45",
            "insights": [{"type": "sentiment", "value": "positive", "description": "thanked twice"}]}')), '',
          'the call completes');
SELECT is((pg_temp.run(:'run')).results,
          '{"customer": "customer@example.com", "duration": "2:45", "sentiment": "positive", "actions": 1,
            "transcript": [{"speaker": "Agent", "message": "Hello!", "time": "00:00", "ms": 0, "role": "agent",
                            "interrupted": false},
                           {"speaker": "Customer", "message": "Hi, \"quoted\"", "time": "00:04", "ms": 4900,
                            "role": "customer", "interrupted": false},
                           {"speaker": "Agent", "message": "Bye", "time": "01:01", "ms": 61000, "role": "agent",
                            "interrupted": false}],
            "actionsTaken": [{"action": "Looked up the customer", "time": "00:12", "ms": 12000, "status": "success"}],
            "insights": [{"type": "sentiment", "value": "positive", "description": "thanked twice"}]}',
          'its results have the source document''s shape');
SELECT is((SELECT count(*) FROM vrm.transcript_turns WHERE run_id = :'run')
          + (SELECT count(*) FROM vrm.run_actions WHERE run_id = :'run'), 0::bigint, 'what was folded is removed');
SELECT ok((pg_temp.run(:'run')).completed_at >= (pg_temp.run(:'run')).started_at, 'it has an end');
SELECT is((SELECT string_agg(status, ' ' ORDER BY id) FROM vrm.run_events WHERE run_id = :'run'), 'running completed',
          'run_events has one row a state');

-- duration ----------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.started(owner text, agent text) RETURNS text LANGUAGE sql AS
    $$ SELECT pg_temp.as_user(owner::uuid, format('SELECT vrm.start_test_run(%L)', agent)) $$;
SELECT pg_temp.started(:'alice', :'agent') AS run \gset
UPDATE vrm.test_runs SET started_at = clock_timestamp() - interval '185 seconds' WHERE id = :'run';
SELECT pg_temp.as_user(:'alice', format('SELECT vrm.complete_test_run(%L)', :'run')) \g /dev/null
SELECT is((pg_temp.run(:'run')).results,
          '{"duration": "3:05", "actions": 0, "transcript": [], "actionsTaken": [], "insights": []}',
          'without results the shape is whole and the duration computed');

-- the other ends ----------------------------------------------------------------------------------

SELECT pg_temp.started(:'alice', :'agent') AS run \gset
SELECT pg_temp.as_user(:'alice', format($$SELECT vrm.append_transcript(%L, 'Agent', 'Hello?')$$, :'run')) \g /dev/null
SELECT is(pg_temp.as_user(:'alice', format($$SELECT vrm.fail_test_run(%L, 'line dropped')$$, :'run')), '',
          'a call fails');
SELECT is((pg_temp.run(:'run')).error, 'line dropped', 'with its error');
SELECT is((pg_temp.run(:'run')).results #>> '{transcript,0,message}', 'Hello?', 'what was said is kept');
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.complete_test_run(%L)', :'run')), '55000',
          'a failed call cannot complete');
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.cancel_test_run(%L)', :'run')), '55000', 'or be cancelled');
SELECT is(pg_temp.as_user(:'alice', format($$SELECT vrm.append_transcript(%L, 'Agent', 'x')$$, :'run')), '55000',
          'nothing more can be appended');
SELECT is(pg_temp.as_user(:'alice', format($$SELECT vrm.record_action(%L, 'x')$$, :'run')), '55000', 'or recorded');
SELECT is(pg_temp.error_of(:'alice', format('SELECT vrm.complete_test_run(%L)', :'run')),
          format('55000 | test run "%s" is not running | It is failed. | Start another call: SELECT '
                 'vrm.start_test_run(...);', :'run'),
          'and the error says why');
SELECT pg_temp.started(:'alice', :'agent') AS run \gset
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.cancel_test_run(%L)', :'run')), '',
          'a running call is cancelled');
SELECT is((pg_temp.run(:'run')).status::text, 'cancelled', 'for good');

-- queued calls -----------------------------------------------------------------------------------

SELECT is(pg_temp.as_user(:'alice',
                          format($$INSERT INTO vrm.test_runs (agent_id, status) VALUES (%L, 'queued')
                                 RETURNING status$$,
                                           :'agent')), 'queued', 'an owner queues a call by inserting it');
SELECT coalesce((SELECT id FROM vrm.test_runs WHERE user_id = :'alice' AND status = 'queued'), :'run') AS run \gset
SELECT is((pg_temp.run(:'run')).time_limit, 60, 'with the default time limit');
SELECT is(pg_temp.as_user(:'alice', format($$SELECT vrm.append_transcript(%L, 'Agent', 'x')$$, :'run')), '55000',
          'nothing is appended before it runs');
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.complete_test_run(%L)', :'run')), '55000',
          'nor does it complete');
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.begin_test_run(%L)', :'run')), '', 'it begins to run');
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.begin_test_run(%L)', :'run')), '', 'twice is harmless');
SELECT is(pg_temp.as_user(:'bob', format('SELECT vrm.begin_test_run(%L)', :'run')), 'P0002', 'for its owner only');
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.complete_test_run(%L)', :'run')), '', 'and completes');
SELECT is((SELECT string_agg(status, ' ' ORDER BY id) FROM vrm.run_events WHERE run_id = :'run'),
          'queued running completed',
          'with an event for each state');

-- every step between two states, by the owner of the table ------------------------------------------

CREATE TEMP TABLE step AS
SELECT was, is_now,
       pg_temp.as_role('postgres', NULL, format(
           $$WITH made AS (INSERT INTO vrm.test_runs (user_id, agent_id, status, completed_at)
                           VALUES (%L, %L, %L, CASE WHEN %3$L IN ('completed', 'failed', 'cancelled') THEN now() END)
                           RETURNING id)
             SELECT id FROM made$$, :'alice', :'agent', was)) AS id,
       NULL::text AS outcome
FROM unnest(ARRAY['queued', 'running', 'completed', 'failed', 'cancelled']) AS was,
     unnest(ARRAY['queued', 'running', 'completed', 'failed', 'cancelled']) AS is_now
WHERE was <> is_now;
UPDATE step SET outcome = pg_temp.as_role('postgres', NULL, format(
    $$UPDATE vrm.test_runs SET status = %L,
    completed_at = CASE WHEN %1$L IN ('completed', 'failed', 'cancelled') THEN now() END
      WHERE id = %L RETURNING 'ok'$$, is_now, id));
SELECT is((SELECT string_agg(was || '>' || is_now, ' ' ORDER BY was, is_now) FROM step WHERE outcome = 'ok'),
          'queued>cancelled queued>failed queued>running running>cancelled running>completed running>failed',
          'states change only forward');
SELECT is((SELECT count(*) FROM step WHERE outcome = '55000'), 14::bigint, 'everything else is refused with 55000');

-- expiry -------------------------------------------------------------------------------------------

SELECT pg_temp.started(:'alice', :'agent') AS late, pg_temp.started(:'bob', :'bobs_agent') AS in_time \gset
UPDATE vrm.test_runs SET started_at = clock_timestamp() - interval '61 seconds' WHERE id = :'late';
UPDATE vrm.test_runs SET started_at = clock_timestamp() - interval '50 seconds' WHERE id = :'in_time';
SELECT is(pg_temp.as_user(:'alice', 'SELECT vrm.expire_test_runs()'), '42501', 'users do not expire calls');
SELECT is(pg_temp.as_role('service_role', NULL, 'SELECT vrm.expire_test_runs()'), '1',
          'the service ends those past their limit');
SELECT is((pg_temp.run(:'late')).error, 'time limit of 60 s exceeded', 'and says so');
SELECT is((pg_temp.run(:'in_time')).status::text, 'running', 'the others run on');

-- bad input ------------------------------------------------------------------------------------------

SELECT pg_temp.started(:'alice', :'agent') AS run \gset
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.start_test_run(%L)', :'bobs_agent')), 'P0002',
          'an agent of somebody else');
SELECT is(replace(pg_temp.error_of(:'alice', format('SELECT vrm.start_test_run(%L)', :'bobs_agent')), :'bobs_agent',
                  'x'),
          replace(pg_temp.error_of(:'alice', format('SELECT vrm.start_test_run(%L)', :'run')), :'run', 'x'),
          'looks like one that does not exist');
SELECT is(pg_temp.as_user(:'alice', 'SELECT vrm.start_test_run(NULL)'), 'P0002', 'no agent');
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.start_test_run(%L, time_limit => 0)', :'agent')), '22023',
          'no time');
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.start_test_run(%L, time_limit => -5)', :'agent')), '22023',
          'negative time');
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.start_test_run(%L, time_limit => NULL)', :'agent')), '22023',
          'null time');
SELECT is(pg_temp.as_user(:'alice',
                          format('SELECT vrm.start_test_run(%L, outbound_call_params => %L)', :'agent', '[1]')),
          '22023',
          'parameters that are no object');
SELECT is(pg_temp.as_user(:'alice',
                          format('SELECT vrm.start_test_run(%L, ARRAY[%L]::uuid[])', :'agent', :'bobs_case')), '23503',
          'a private test case of somebody else');
SELECT is(replace(pg_temp.error_of(:'alice',
                                   format('SELECT vrm.start_test_run(%L, ARRAY[%L]::uuid[])', :'agent', :'bobs_case')),
                  :'bobs_case', 'x'),
          replace(pg_temp.error_of(:'alice',
                                   format('SELECT vrm.start_test_run(%L, ARRAY[%L]::uuid[])', :'agent', :'run')),
                  :'run', 'x'),
          'looks like one that does not exist');
UPDATE vrm.test_cases SET is_shared = true WHERE id = :'bobs_case';
SELECT is(pg_temp.as_user(:'alice',
                          format('SELECT vrm.start_test_run(%L, ARRAY[%L]::uuid[]) IS NOT NULL', :'agent',
                                 :'bobs_case')),
          'true', 'a shared one will do');
SELECT is(pg_temp.as_user(:'alice', format($$SELECT vrm.append_transcript(%L, NULL, 'x')$$, :'run')), '22023',
          'no speaker');
SELECT is(pg_temp.as_user(:'alice',
                          format($$SELECT vrm.append_transcript(%L, 'Agent', repeat('x', 100001))$$, :'run')), '22023',
          'a message that is too long');
SELECT is(pg_temp.as_user(:'alice',
                          format($$SELECT vrm.append_transcript(%L, 'Agent', repeat('x', 100000))$$, :'run')), '',
          'one that just fits');
SELECT is(pg_temp.as_user(:'alice', format($$SELECT vrm.append_transcript(%L, 'Agent', 'x', '-1 s')$$, :'run')),
          '22023',
          'before the start');
SELECT is(pg_temp.as_user(:'alice', format($$SELECT vrm.fail_test_run(%L, NULL)$$, :'run')), '22023',
          'failure without a reason');
SELECT is(pg_temp.as_user(:'bob', format($$SELECT vrm.append_transcript(%L, 'Agent', 'x')$$, :'run')), 'P0002',
          'a call of somebody else');
SELECT is(pg_temp.as_user(:'bob', format('SELECT vrm.complete_test_run(%L)', :'run')), 'P0002',
          'does not complete either');
SELECT is(pg_temp.as_user(:'alice', 'SELECT vrm.complete_test_run(NULL)'), 'P0002', 'nor does none');
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.complete_test_run(%L, %L)', :'run', '{"actions": "three"}')),
          '22023',
          'results that are malformed');
SELECT ok(pg_temp.error_of(:'alice', format('SELECT vrm.complete_test_run(%L, %L)', :'run', '{"transcript": []}'))
              LIKE '22023 | results are not valid | /transcript: turns were appended%', 'a second transcript');
SELECT is((pg_temp.run(:'run')).status::text, 'running', 'the call runs on after all this');
SELECT is((SELECT count(*) FROM vrm.transcript_turns WHERE run_id = :'run'), 1::bigint,
          'and has the turn that was good');

SELECT * FROM finish();
ROLLBACK;
