-- Alerts about agents: what is measured, whom it is told, and that operators see numbers alone.
BEGIN;
SELECT plan(38);
\ir ../include/played_suites.sql

SELECT is(pg_temp.of_alice('SELECT count(*) FROM vrm.agent_findings()'), '0', 'without thresholds nothing is said');
SELECT is(pg_temp.of_alice(format('INSERT INTO vrm.agent_thresholds (%s) VALUES (%s) RETURNING id', columns, v)), state,
          v)
FROM (VALUES ('measure, threshold', $$'mood', 1$$, '23514'), ('measure, threshold', $$'pass_rate', -1$$, '23514'),
             ('measure, threshold', $$'pass_rate', 'NaN'$$, '23514'),
             ('measure, threshold', $$'pass_rate', 'Infinity'$$, '23514'),
             ('measure, threshold, comparison', $$'pass_rate', 1, '='$$, '23514'),
             ('measure, threshold, min_calls', $$'pass_rate', 1, 0$$, '23514'),
             ('measure, threshold, compared_with', $$'pass_rate', 1, 'last_year'$$, '23514')
    ) AS t (columns, v, state);
SELECT is(pg_temp.error_of(:'alice', $$INSERT INTO vrm.agent_thresholds (measure, threshold, min_calls)
                                       VALUES ('pass_rate', 0.9, 0)$$),
          '23514 | threshold of an agent is not valid | min_calls: must be from 1 to 1000000, got 0. | INSERT INTO'
          || $$ vrm.agent_thresholds (measure, comparison, threshold) VALUES ('failure_rate', '>', 0.1);$$,
          'what is wrong is said, with what would do');
SELECT alike(pg_temp.error_of(:'alice', format('INSERT INTO vrm.agent_thresholds (%s) VALUES (%s)', columns, v)),
             '23514 | threshold of an agent is not valid | ' || wrong || ': must be %', v || ': which column')
FROM (VALUES ('threshold, measure', $$1, 'mood'$$, 'measure'),
             ('measure, threshold', $$'pass_rate', 'NaN'$$, 'threshold'),
             ('measure, threshold, comparison', $$'pass_rate', 1, '='$$, 'comparison'),
             ('measure, threshold, compared_with', $$'pass_rate', 1, 'last_year'$$, 'compared_with')
    ) AS t (columns, v, wrong);
SELECT is(pg_temp.of_alice(format($$INSERT INTO vrm.agent_thresholds (agent_id, measure, threshold)
                                  VALUES (%L, 'pass_rate', 1) RETURNING id$$,
                                  :'bobs_agent')), '23503', 'an agent of somebody else');
SELECT is(pg_temp.of_alice(format($$INSERT INTO vrm.agent_thresholds (user_id, measure, threshold)
                                  VALUES (%L, 'pass_rate', 1) RETURNING id$$, :'bob')), '42501',
          'in the name of another');

-- So many calls of Alice's agent some time ago: each answered in so many ms, some failed, some were put through.
CREATE FUNCTION pg_temp.calls(ago interval, number integer, failed integer, transferred integer, ms integer,
                              cost numeric, currency text DEFAULT 'EUR') RETURNS void LANGUAGE sql AS $$
    INSERT INTO vrm.test_runs (user_id, agent_id, status, started_at, completed_at, results, outcome, cost, currency)
    SELECT a.user_id, a.id, CASE WHEN n <= failed THEN 'failed' ELSE 'completed' END, now() - ago, now() - ago,
           jsonb_build_object('duration', '1:00', 'transcript', jsonb_build_array(
               '{"role": "customer", "speaker": "Customer", "message": "a", "time": "0:00", "ms": 0,
                 "endMs": 0}'::jsonb,
               jsonb_build_object('speaker', 'Agent', 'role', 'agent', 'message', 'b', 'time', '0:01', 'ms', ms))),
           CASE WHEN n > number - transferred THEN 'transferred' ELSE 'resolved' END, cost, currency
    FROM vrm.agents a, generate_series(1, number) AS n
    WHERE a.agent_id = 'desk'
$$;
SELECT pg_temp.calls('1 hour', 20, 4, 5, 1500, 2), pg_temp.calls('3 days', 70, 7, 7, 1000, 1) \g /dev/null
CREATE FUNCTION pg_temp.found(measure text, comparison text, compared_with text, threshold float8,
                              min_calls integer DEFAULT 10) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    told text;
BEGIN
    DELETE FROM vrm.agent_thresholds;
    PERFORM pg_temp.of_alice(format('INSERT INTO vrm.agent_thresholds (measure, comparison, compared_with, threshold,'
                                    ' min_calls) VALUES (%L, %L, %L, %L, %L) RETURNING id', measure, comparison,
                                    compared_with, threshold, min_calls));
    SELECT string_agg(round(f.value::numeric, 3) || ' of ' || round(f.allowed::numeric, 3), ', ') INTO told
    FROM vrm_private.agent_findings((SELECT id FROM auth.users WHERE email = 'alice@example.org')) AS f;
    RETURN coalesce(told, 'nothing');
END
$$;
SELECT is(pg_temp.found(measure, comparison, compared_with, threshold, least_calls), told,
          concat_ws(' ', measure, comparison, threshold, compared_with))
FROM (VALUES ('answering_time', '>', 'level', 1400, 10, '1500.000 of 1400.000'),
             ('answering_time', '>', 'level', 1600, 10, 'nothing'),
             ('answering_time', '>', 'last_week', 1.4, 10, '1500.000 of 1400.000'),
             ('failure_rate', '>', 'level', 0.1, 10, '0.200 of 0.100'),
             ('failure_rate', '>', 'level', 0.1, 21, 'nothing'),
             ('failure_rate', '>', 'last_week', 1.5, 10, '0.200 of 0.150'),
             ('failure_rate', '<', 'last_week', 2.5, 10, '0.200 of 0.250'),
             ('transfer_rate', '>', 'level', 0.2, 10, '0.313 of 0.200'),
             ('cost_per_day', '>', 'last_week', 3, 10, '40.000 of 30.000'),
             ('cost_per_day', '>', 'last_week', 5, 10, 'nothing')
    ) AS t (measure, comparison, compared_with, threshold, least_calls, told);
SELECT pg_temp.calls('1 hour', 1, 0, 0, 1500, 30, 'USD') \g /dev/null
SELECT is(pg_temp.found('cost_per_day', '>', 'level', 39), '40.000 of 39.000', 'euros and dollars are no sum');

-- the pass rate of the last suite, against those of the week before it
SELECT pg_temp.of_alice(format('SELECT vrm.start_suite(ARRAY[%L]::uuid[], %L, repeats => 10)', :'books', :'agent')) AS
    first, pg_temp.of_alice(format('SELECT vrm.start_suite(ARRAY[%L]::uuid[], %L, repeats => 10)', :'books', :'agent'))
    AS second \gset
UPDATE vrm.suite_runs SET started_at = now() - interval '2 days' WHERE id = :'first';
SELECT pg_temp.play(:'first', 10), pg_temp.play(:'second', 6) \g /dev/null
SELECT is(pg_temp.found('pass_rate', '<', 'level', 0.7), '0.600 of 0.700', 'the pass rate of the last suite');
SELECT is(pg_temp.found('pass_rate', '<', 'last_week', 0.9), '0.600 of 0.900', 'against those of the week before');
UPDATE vrm.suite_runs SET started_at = now() - interval '1 hour' WHERE id = :'second';
SELECT pg_temp.of_alice(format('SELECT vrm.start_suite(ARRAY[%L]::uuid[], %L, repeats => 2)', :'books', :'agent')) AS
    running \gset
SELECT pg_temp.of_alice('SELECT run_id FROM vrm.claim_test_run()') AS claimed \gset
SELECT pg_temp.of_alice(format($$SELECT vrm.complete_test_run(%L, '{"duration": "1:00", "transcript": []}')$$,
                               :'claimed')) \g /dev/null
SELECT is(pg_temp.found('pass_rate', '<', 'last_week', 0.9), '0.600 of 0.900', 'not one that is going on');
DELETE FROM vrm.suite_runs WHERE id = :'running';

-- what vrm.maintain() notes
SELECT is(vrm_private.note_agent_alerts() + vrm_private.note_agent_alerts(), 1::bigint, 'an alert begins once');
SELECT is(pg_temp.of_alice($$SELECT concat_ws(' ', measure, value, allowed, calls, resolved_at IS NULL)
                           FROM vrm.agent_alerts$$), 'pass_rate 0.6 0.9 10 t', 'its owner reads it');
SELECT is(pg_temp.of_alice('SELECT agent FROM vrm.agent_findings()'), 'desk', 'and what is beyond now');
SELECT is(pg_temp.as_user(:'bob', 'SELECT count(*) FROM vrm.agent_alerts')
          || pg_temp.as_user(:'bob', 'SELECT count(*) FROM vrm.agent_thresholds')
          || pg_temp.as_user(:'bob', 'SELECT count(*) FROM vrm.agent_findings()')
          || pg_temp.as_user(:'bob', 'UPDATE vrm.agent_alerts SET value = 1')
          || pg_temp.as_anon('SELECT vrm.agent_findings()'), '0004250142501', 'nobody else does');
SELECT is((SELECT string_agg(concat_ws(' ', a.alert, a.labels, a.value), ', ') FROM vrm.alerts() AS a
           WHERE a.metric LIKE 'vrm\_agents%'), 'AgentsBeyondThresholds {"measure": "pass_rate"} 1',
          'operators see how many, and not whose');
SELECT is((SELECT string_agg(s.labels ->> 'version' || ' ' || s.value, ', ' ORDER BY s.labels)
           FROM vrm.monitoring('{agents}') s
           WHERE s.name = 'vrm_agents_suite_passed_ratio'), 'current 0.8, earlier NaN', 'and how suites go');
UPDATE vrm.agent_thresholds SET threshold = 0.1;
SELECT is(vrm_private.note_agent_alerts(), 0::bigint, 'it ends');
SELECT isnt((SELECT resolved_at FROM vrm.agent_alerts), NULL, 'and is told to be over');
UPDATE vrm.agent_alerts SET resolved_at = now() - interval '2 years';
SELECT is((SELECT due_rows FROM vrm.retention_preview('agent.alerts')), 1::bigint, 'old ones go');

SELECT finish();
ROLLBACK;
