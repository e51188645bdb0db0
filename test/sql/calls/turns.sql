-- Turns and actions as they really were: to the millisecond, by whom, interrupted or not; many at once,
-- late ones, and what a call says about itself.
BEGIN;
SELECT plan(68);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob \gset
SELECT pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('reception', direction => 'inbound')$$) AS agent \gset
CREATE FUNCTION pg_temp.run(of_run text) RETURNS vrm.test_runs LANGUAGE sql AS
    'SELECT r FROM vrm.test_runs r WHERE id = of_run::uuid';
CREATE FUNCTION pg_temp.started(owner text, agent text) RETURNS text LANGUAGE sql AS
    $$ SELECT pg_temp.as_user(owner::uuid, format('SELECT vrm.start_test_run(%L, time_limit => 600)', agent)) $$;
CREATE FUNCTION pg_temp.turns(of_run text) RETURNS text LANGUAGE sql AS
    $$ SELECT string_agg(concat_ws(' ', t ->> 'ms', t ->> 'endMs', t ->> 'role', t ->> 'message'), '; ' ORDER BY n)
       FROM vrm.test_runs r, jsonb_array_elements(r.results -> 'transcript') WITH ORDINALITY AS e (t, n)
       WHERE r.id = of_run::uuid $$;

-- one turn at a time -------------------------------------------------------------------------------

SELECT pg_temp.started(:'alice', :'agent') AS run \gset
SELECT is(pg_temp.as_user(:'alice',
                          format($$SELECT vrm.append_transcript(%L, 'user', 'Hello?', '3.1404 s', '3.9 s')$$, :'run')),
          '',
          'a turn has an end');
SELECT is(pg_temp.as_user(:'alice',
                          format($$SELECT vrm.append_transcript(%L, 'Ben', 'Good morning', '4.2506 s',
                                                                role => 'assistant',
              interrupted => true, latency => '{"transcriber": 90, "model": 310.5, "voice": 120}')$$, :'run')), '',
          'a role, an interruption and latencies');
SELECT is((SELECT array_agg(role ORDER BY id) FROM vrm.transcript_turns WHERE run_id = :'run'), '{customer,agent}',
          'words of other platforms become roles');
SELECT is(pg_temp.as_user(:'alice',
                          format($$SELECT vrm.append_transcript(%L, 'AGENT', NULL, '5 s', interrupted => true)$$,
                                 :'run')), '',
          'who was interrupted at once has said nothing');
SELECT is(pg_temp.as_user(:'alice',
                          format($$SELECT vrm.record_action(%L, 'find_order', at => '4 s', arguments => '{"id": 7}',
              result => '"none"', ok => false, took => 240)$$, :'run')), '',
              'a tool has arguments, a result and a length');
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.complete_test_run(%L)', :'run')), '', 'the call completes');
SELECT is((pg_temp.run(:'run')).results -> 'transcript',
          '[{"ms": 3140, "endMs": 3900, "role": "customer", "time": "00:03", "message": "Hello?", "speaker": "user", '
          '"interrupted": false},
            {"ms": 4251, "role": "agent", "time": "00:04", "message": "Good morning", "speaker": "Ben",
             "interrupted": true,
             "latency": {"transcriber": 90, "model": 310.5, "voice": 120}},
            {"ms": 5000, "role": "agent", "time": "00:05", "message": null, "speaker": "AGENT", "interrupted": true}]',
          'and all of it is in its results');
SELECT is((pg_temp.run(:'run')).results -> 'actionsTaken',
          '[{"ms": 4000, "time": "00:04", "action": "find_order", "status": "failure", "ok": false, "took": 240,
             "arguments": {"id": 7}, "result": "none"}]', 'so are actions');
SELECT is((pg_temp.run(:'run')).direction::text, 'inbound', 'a call goes the way that its agent says');

-- many turns at once -------------------------------------------------------------------------------

SELECT pg_temp.started(:'alice', :'agent') AS run \gset
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.append_turns(%L, %L)', :'run',
          '[{"speaker": "Agent", "message": "second", "ms": 2000, "endMs": 2500}, {"role": "customer", "message": '
          '"first", "ms": 900},
            {"role": "TOOL", "message": "third", "ms": 2600}, {"role": "agent", "message": "", "ms": 2700,
             "interrupted": true}]')), '',
          'turns are appended together, in any order');
SELECT is((SELECT array_agg(speaker ORDER BY at) FROM vrm.transcript_turns WHERE run_id = :'run'),
          '{Customer,Agent,Tool,Agent}',
          'who has a role only is called by it');
SELECT is(pg_temp.as_user(:'alice', format($$SELECT vrm.append_turns(%L, '[]')$$, :'run')), '',
          'no turns are no error');
SELECT ok(pg_temp.error_of(:'alice',
                           format('SELECT vrm.append_turns(%L, %L)', :'run',
                                  bad)) LIKE '22023 | turns are not valid | ' || why || '%',
          'refused: ' || why)
FROM (VALUES ('{}', 'must be an array'), ('[1]', '/0: must be an object'),
             ('[{"message": "x"}]', '/0/speaker: is required'),
             ('[{"speaker": "a"}]', '/0/message: is required'),
             ('[{"speaker": "", "message": "x"}]', '/0/speaker: is empty'),
             ('[{"speaker": "a", "message": "x"}, {"speaker": "a", "message": ""}]', '/1/message: is empty'),
             ('[{"speaker": "a", "message": "x", "ms": 2, "endMs": 1}]', '/0/endMs: is before ms'),
             ('[{"speaker": "a", "message": "x", "ms": 86400001}]', '/0/ms: is more than 24 hours'),
             ('[{"speaker": "a", "message": "x", "ms": -1}]', '/0/ms: must be a whole number'),
             ('[{"speaker": "a", "message": "x", "ms": 1.5}]', '/0/ms: must be a whole number'),
             ('[{"speaker": "a", "message": "x", "interrupted": "no"}]', '/0/interrupted: must be true or false'),
             ('[{"speaker": "a", "message": "x", "latency": {"a/b": -1}}]',
              '/0/latency/a~1b: must be a number from 0')) AS v (bad, why);
SELECT is(pg_temp.error_of(:'alice',
                           format('SELECT vrm.append_turns(%L, %L)', :'run', '[{"role": "alien", "message": "x"}]')),
          '22023 | role is not known | Got "alien". | INSERT INTO vrm.speaker_roles (speaker, role) VALUES '
          '(..., ''agent''); '
          'or ''customer'', ''tool'', ''system''.', 'refused: a role of no vocabulary');
INSERT INTO vrm.speaker_roles VALUES ('alien', 'customer');
SELECT is(pg_temp.as_user(:'alice',
                          format('SELECT vrm.append_turns(%L, %L)', :'run',
                                 '[{"role": "Alien", "message": "x", "ms": 9000}]')), '',
          'unless the DBA has added it');
SELECT is(pg_temp.as_user(:'bob',
                          format($$SELECT vrm.append_turns(%L, '[{"role": "agent", "message": "x"}]')$$, :'run')),
          'P0002',
          'a call of somebody else');
SELECT is((SELECT count(*) FROM vrm.transcript_turns WHERE run_id = :'run'), 5::bigint, 'nothing was half done');
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.complete_test_run(%L)', :'run')), '', 'the call completes');
SELECT is(pg_temp.turns(:'run'),
          '900 customer first; 2000 2500 agent second; 2600 tool third; 2700 agent ; 9000 customer x',
          'with its turns in the order of their times');

-- documents ------------------------------------------------------------------------------------------

SELECT pg_temp.started(:'alice', :'agent') AS run \gset
SELECT ok(pg_temp.error_of(:'alice', format('SELECT vrm.complete_test_run(%L, %L)', :'run', bad)) LIKE '22023 | '
          || why || '%', 'refused: ' || why)
FROM (VALUES ('{"event": "call_ended", "call": {}}',
              'results have no known member | There is "call", "event". | What another'),
             ('{"cost": -1}', 'results are not valid | /cost: must be a number from 0'),
             ('{"cost": 1e12}', 'results are not valid | /cost: must be a number from 0'),
             ('{"currency": "XYZ"}', 'results are not valid | /currency: must be a code of ISO 4217'),
             ('{"direction": "sideways"}', 'results are not valid | /direction: must be "inbound"'),
             ('{"outcome": "bliss"}', 'outcome is not known | Got "bliss".'),
             ('{"transcript": [{"role": "alien2", "message": "x", "ms": 1}]}', 'role is not known'),
             ('{"transcript": [{"role": "agent", "message": "x", "ms": 2, "endMs": 1}]}',
              'results are not valid | /transcript/0/endMs: is before ms')) AS v (bad, why);
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.complete_test_run(%L, %L)', :'run',
          '{"outcome": "transferred", "endedReason": "assistant-forwarded-call", "cost": 0.1234567, "currency": "EUR", '
          '"source": "vapi",
            "externalId": "x-1", "direction": "outbound",
            "transcript": [{"role": "agent", "message": "b", "ms": 1500}, {"speaker": "Caller", "message": "a",
             "ms": 500}],
            "actionsTaken": [{"action": "look", "ms": 2500, "ok": true}]}')), '', 'a call says what it was');
SELECT is((SELECT (outcome, ended_reason, cost, currency, source, external_id, direction)::text
           FROM pg_temp.run(:'run')),
          '(transferred,assistant-forwarded-call,0.123457,EUR,vapi,x-1,outbound)', 'in columns');
SELECT is((pg_temp.run(:'run')).results -> 'transcript',
          '[{"ms": 500, "role": "customer", "time": "00:00", "message": "a", "speaker": "Caller"},
            {"ms": 1500, "role": "agent", "time": "00:01", "message": "b", "speaker": "Agent"}]',
            'its turns are made whole and put in order');
SELECT is((pg_temp.run(:'run')).results -> 'actionsTaken',
          '[{"ms": 2500, "ok": true, "time": "00:02", "action": "look", "status": "success"}]',
          'its actions are made whole');

-- after the end --------------------------------------------------------------------------------------

SELECT pg_temp.started(:'alice', :'agent') AS run \gset
SELECT ok(pg_temp.error_of(:'alice', format('SELECT vrm.amend_test_run(%L, %L)', :'run', '{"sentiment": "positive"}'))
              LIKE '55000 | test run "%" has not ended | It is running. | SELECT vrm.complete_test_run(%',
              'a call that runs is not amended');
SELECT pg_temp.as_user(:'alice', format('SELECT vrm.append_turns(%L, %L)', :'run',
           '[{"role": "agent", "message": "Hello", "ms": 100}, {"role": "customer", "message": "Hi", "ms": 900}]')),
       pg_temp.as_user(:'alice', format('SELECT vrm.complete_test_run(%L, %L)', :'run',
           '{"duration": "1:00", "insights": [{"type": "a", "value": "1", "description": "x"}, {"type": "b", "value": '
           '"1", "description": "x"}]}')) \g /dev/null
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.amend_test_run(%L, %L)', :'run',
          '{"sentiment": "positive", "transcript": [{"role": "agent", "message": "Bye", "ms": 5000}, {"role": '
          '"customer", "message": "Hi!", "ms": 900}],
            "insights": [{"type": "b", "value": "2", "description": "x"}], "metrics": {"score": 5},
             "actionsTaken": [], "customer": null,
            "outcome": "resolved", "cost": 0.5, "currency": "USD"}')), '', 'one that has ended is');
SELECT is(pg_temp.turns(:'run'), '100 agent Hello; 900 customer Hi!; 5000 agent Bye', 'turns are corrected and added');
SELECT is((SELECT string_agg((i ->> 'type') || (i ->> 'value'), ' ')
           FROM jsonb_array_elements((pg_temp.run(:'run')).results -> 'insights') AS i),
          'a1 b2', 'insights take the place of those of their type');
SELECT is((SELECT jsonb_build_array(results -> 'sentiment', results -> 'duration', results #> '{metrics,score}',
                                    results -> 'actions',
                                    results -> 'customer') FROM pg_temp.run(:'run')),
          '["positive", "1:00", 5, 0, null]', 'what is said is set, what is not said stays');
SELECT is((SELECT (outcome, cost, currency)::text FROM pg_temp.run(:'run')), '(resolved,0.500000,USD)',
          'in columns, too');
SELECT is((SELECT sentiment FROM vrm.call_facts WHERE id = :'run'), 'positive', 'facts follow');
SELECT is((SELECT count(*) FROM vrm.audit_log WHERE action = 'call amended' AND detail ->> 'run_id' = :'run'),
          1::bigint, 'it is audited');
SELECT is(pg_temp.as_user(:'bob', format('SELECT vrm.amend_test_run(%L, %L)', :'run', '{"sentiment": "negative"}')),
          'P0002',
          'somebody else''s call is not there');
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.amend_test_run(%L, NULL)', :'run')), '22004',
          'nothing amends nothing');
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.amend_test_run(%L, %L)', :'run', '{"weather": "fine"}')),
          '22023', 'nor does what nobody knows');
WITH gone AS (DELETE FROM vrm.test_runs WHERE id = :'run' RETURNING *)
INSERT INTO vrm_private.test_runs_archive (user_id, id, agent_id, time_limit, status, started_at, completed_at, results)
SELECT user_id, id, agent_id, time_limit, status, started_at, completed_at, results FROM gone;
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.amend_test_run(%L, %L)', :'run', '{"sentiment": "negative"}')),
          '', 'an archived call is amended, too');
SELECT is((SELECT results ->> 'sentiment' FROM vrm.all_test_runs WHERE id = :'run'), 'negative', 'once');
SELECT is((SELECT sentiment FROM vrm.call_facts WHERE id = :'run'), 'negative', 'and facts follow');

SELECT pg_temp.started(:'alice', :'agent') AS run \gset
SELECT pg_temp.as_user(:'alice', format($$SELECT vrm.append_transcript(%L, 'Agent', 'Hello', '1 s')$$, :'run'))
    \g /dev/null
UPDATE vrm.test_runs SET started_at = now() - interval '11 minutes' WHERE id = :'run';
SELECT vrm.expire_test_runs() AS expired \gset
SELECT is((pg_temp.run(:'run')).ended_reason, 'time_limit_exceeded', 'a call that takes too long is given up');
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.complete_test_run(%L, %L)', :'run',
          '{"duration": "10:30", "endedReason": "hangup", "transcript": [{"role": "agent", "message": "Bye", "ms": '
          '629000}]}')), '',
          'its report still completes it');
SELECT is((SELECT (status, ended_reason, error, completed_at - started_at)::text FROM pg_temp.run(:'run')),
          '(completed,hangup,,00:10:30)',
          'with the length and the reason that it tells');
SELECT is(pg_temp.turns(:'run'), '1000 agent Hello; 629000 agent Bye', 'and all its turns');
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.complete_test_run(%L)', :'run')), '55000', 'once');

-- figures ----------------------------------------------------------------------------------------------

SELECT is((SELECT (agent_turns, customer_words, agent_talk_share, longest_gap, agent_time, customer_time,
                   interruptions, answers,
                   p50_answer_time, longest_answer_time, tool_calls, tool_failures)::text
           FROM (VALUES (jsonb '{"transcript": [
               {"speaker": "user", "message": "one two three", "time": "00:01", "ms": 1000, "endMs": 2000},
               {"speaker": "bot", "message": "x", "time": "00:02", "ms": 2600, "endMs": 4600},
               {"speaker": "tool", "message": "x y z", "time": "00:04", "ms": 4600},
               {"speaker": "Human", "message": "four", "time": "00:05", "ms": 5000, "endMs": 6000, "interrupted": true},
               {"role": "agent", "message": "x", "ms": 6200, "endMs": 8200}],
             "actionsTaken": [{"action": "a", "time": "00:03", "status": "success"}, {"action": "a", "time": "00:03",
              "status": "error"},
                              {"action": "a", "time": "00:03", "status": "pending"}, {"action": "a", "ms": 1,
                               "status": "success", "ok": false}]}')) AS d (results),
                LATERAL vrm.transcript_stats(d.results), LATERAL vrm.speech_stats(d.results)),
          '(2,4,0.6666666666666666,00:00:00.6,00:00:04,00:00:02,1,2,00:00:00.2,00:00:00.6,4,2)',
          'figures go by roles and milliseconds');
SELECT is((SELECT (agent_turns, customer_words, agent_talk_share, longest_gap)::text
           FROM vrm.transcript_stats('{"transcript": [{"speaker": "Agent", "message": "x", "time": "00:00"},
               {"speaker": "Anna", "message": "a b", "time": "00:02"}, {"speaker": "Agent", "message": "x",
                "time": "00:03"}]}')),
          '(2,2,0.6666666666666666,00:00:02)', 'and by whole seconds where these are all there is');
SELECT is((SELECT (answers, customer_time, longest_gap)::text
           FROM (VALUES (jsonb '{"precision": "seconds", "transcript": [
               {"role": "customer", "message": "a", "ms": 1000, "endMs": 2000},
               {"role": "agent", "message": "b", "ms": 4000}]}')) AS d (results),
                LATERAL vrm.transcript_stats(d.results), LATERAL vrm.speech_stats(d.results)),
          '(0,00:00:01,00:00:02)', 'milliseconds that are whole seconds give no answering times');
-- Reports repeat the time of the turn before where they do not know it.
SELECT is((SELECT (customer_time, agent_time)::text
           FROM vrm.speech_stats('{"transcript": [
               {"role": "agent", "message": "a", "ms": 700, "endMs": 1300, "time": "00:00"},
               {"role": "customer", "message": "b", "time": "00:00"},
               {"role": "agent", "message": "c", "ms": 9000, "endMs": 9500, "time": "00:09"}]}')),
          '(00:00:00,00:00:01.1)', 'a time that only repeats that of a turn in ms tells nothing');
SELECT is_empty($$SELECT speaker FROM vrm.speaker_roles
                  WHERE role IS DISTINCT FROM vrm.speaker_role(speaker) AND speaker <> 'alien'$$,
                'C++ has the vocabulary that the table begins with');

-- ids of elsewhere
SELECT pg_temp.as_user(:'alice', format('SELECT vrm.start_test_run(%L)', :'agent')) AS one,
       pg_temp.as_user(:'alice', format('SELECT vrm.start_test_run(%L)', :'agent')) AS two \gset
SELECT pg_temp.as_user(:'alice', format('SELECT vrm.complete_test_run(%L, %L)', :'one',
                                        '{"externalId": "x-1", "source": "mine"}')) \g /dev/null
SELECT is(pg_temp.error_of(:'alice', format('SELECT vrm.complete_test_run(%L, %L)', :'two',
                                            '{"externalId": "x-1", "source": "mine"}')),
          '23505 | another call has this external id | "x-1" is test run "' || :'one'
          || '". | What is said later of that call: SELECT vrm.amend_test_run(''' || :'one' || ''', results);',
          'one call has an external id');
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.amend_test_run(%L, %L)', :'one',
                                           '{"externalId": "x-1", "source": "mine"}')), '', 'and may be told it again');

SELECT * FROM finish();
ROLLBACK;
