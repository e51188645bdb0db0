-- Test cases that are made of calls.
BEGIN;
SELECT plan(11);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob \gset
SELECT pg_temp.as_user(:'alice',
                       $$SELECT vrm.create_agent('desk',
                                                 connection_details
                                                 => '{"introPrompt": "Good morning", "fallbackPrompt": "Pardon?"}')$$)
                                                 AS agent \gset
SELECT pg_temp.as_user(:'alice', format('SELECT vrm.start_test_run(%L, time_limit => 90)', :'agent')) AS run \gset
SELECT is(pg_temp.error_of(:'alice',
                           format('SELECT vrm.make_test_case(%L)',
                                  :'run')) LIKE '55000 | test run "%" has not ended | It is running.%', true,
          'a call has to end first');
SELECT pg_temp.as_user(:'alice', format($$SELECT vrm.complete_test_run(%L, '{"sentiment": "negative", "transcript": [
    {"speaker": "Agent", "message": "Good morning", "time": "0:00"}, {"speaker": "Customer",
     "message": "I want my money back", "time": "0:02"},
    {"speaker": "Agent", "message": "Pardon?", "time": "0:05"}, {"speaker": "Customer", "message": "A refund",
     "time": "0:07"}],
    "actionsTaken": [{"action": "find order", "time": "0:08", "status": "success"}, {"action": "refund",
     "time": "0:09", "status": "failure"}]}')$$, :'run')) \g /dev/null
SELECT pg_temp.as_user(:'alice', format('SELECT vrm.make_test_case(%L)', :'run')) AS made \gset
SELECT is((SELECT user_persona FROM vrm.test_cases WHERE id = :'made'), '{"mood": "irritated", "wordsPerTurn": 3.5}',
          'who called');
SELECT is((SELECT scenario - 'fromCall' FROM vrm.test_cases WHERE id = :'made'),
          '{"opening": "I want my money back", "turns": ["I want my money back", "A refund"]}', 'and what for');
SELECT is((SELECT evaluator_metrics FROM vrm.test_cases WHERE id = :'made'), '{"checks": [
    {"check": "tool_called", "tool": "find order"}, {"check": "tool_called", "tool": "refund"},
     {"check": "tool_order", "tools": ["find order", "refund"]},
    {"check": "said", "text": "Good morning"}, {"check": "not_said", "text": "Pardon?"}, {"check": "ended_within",
     "seconds": 90}]}', 'what was expected');
SELECT is((SELECT string_agg(f ->> 'check', ', ') FROM vrm.test_runs r, vrm.test_cases c,
           jsonb_array_elements(vrm.failed_checks(c.evaluator_metrics, r.results)) AS f
           WHERE r.id = :'run' AND c.id = :'made'), 'not_said: Pardon?', 'which the call itself fails');
SELECT is(pg_temp.as_user(:'alice',
                          $$UPDATE vrm.test_cases SET name = 'refund' WHERE name LIKE 'desk: call of %'
                          RETURNING name$$), 'refund', 'it is the owner''s to edit');
SELECT is(pg_temp.as_user(:'bob', format('SELECT vrm.make_test_case(%L)', :'run')), 'P0002',
          'nobody makes cases of calls of others');
SELECT pg_temp.as_user(:'alice', format('SELECT vrm.start_test_run(%L)', :'agent')) AS empty \gset
SELECT pg_temp.as_user(:'alice', format($$SELECT vrm.fail_test_run(%L, 'no answer')$$, :'empty')) \g /dev/null
SELECT pg_temp.as_user(:'alice', format('SELECT vrm.make_test_case(%L)', :'empty')) AS of_nothing \gset
SELECT is((SELECT scenario ->> 'problem' FROM vrm.test_cases WHERE id = :'of_nothing'), 'no answer',
          'a call in which nothing was said makes one, too');
SELECT matches(pg_temp.as_user(:'alice', format('SELECT vrm.make_test_case(%L)', :'empty')), '^[0-9a-f]{8}-',
               'and so does the same call once more');
SELECT is((SELECT vrm.evaluator_metrics_error(evaluator_metrics) FROM vrm.test_cases WHERE id = :'of_nothing'), NULL,
          'with checks that are well formed');
INSERT INTO vrm.speaker_roles (speaker, role) VALUES ('shop_floor', 'agent');
SELECT is((SELECT string_agg(said, ', ' ORDER BY place) FROM vrm_private.turns_of_customer('{"transcript": [
    {"speaker": "End User", "message": "a"}, {"speaker": "Shop-Floor", "message": "b"},
    {"speaker": "Anna", "message": "c"}, {"speaker": "Anna", "role": "tool", "message": "d"}]}')), 'a, c',
          'speakers are who this database says they are');

SELECT finish();
ROLLBACK;
