-- What was said in calls and what it came to, in dashboards: the same from facts and from statistics made
-- in advance, and from the states of version 1.0.
BEGIN;
SELECT plan(21);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice \gset
SELECT pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('reception')$$) AS agent \gset
CREATE FUNCTION pg_temp.of_alice(query text) RETURNS text LANGUAGE sql AS
    $$ SELECT pg_temp.as_user((SELECT id FROM auth.users WHERE email = 'alice@example.org'), query) $$;
CREATE FUNCTION pg_temp.call(agent text, results jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    run text := pg_temp.of_alice(format('SELECT vrm.start_test_run(%L)', agent));
BEGIN
    PERFORM pg_temp.of_alice(format('SELECT vrm.complete_test_run(%L, %L)', run, results));
END
$$;
-- answers of 400, 800 and 100 ms; agent 3 s, customer 2 s; one interruption; tools 3 of 4
SELECT pg_temp.call(:'agent', '{"outcome": "resolved", "cost": 0.10, "currency": "USD", "transcript": [
           {"role": "customer", "message": "a", "ms": 0, "endMs": 1000},
           {"role": "agent", "message": "b", "ms": 1400, "endMs": 2400},
           {"role": "customer", "message": "c", "ms": 3000, "endMs": 4000},
           {"role": "agent", "message": "d", "ms": 4800, "endMs": 6800,
            "interrupted": true}],
           "actionsTaken": [{"action": "x", "ms": 1, "ok": true}, {"action": "x", "ms": 1, "ok": true}]}'),
       pg_temp.call(:'agent', '{"outcome": "transferred", "cost": 0.25, "currency": "USD", "transcript": [
           {"role": "customer", "message": "a", "ms": 0, "endMs": 0},
           {"role": "agent", "message": "b", "ms": 100, "endMs": 100}],
           "actionsTaken": [{"action": "x", "ms": 1, "ok": false}, {"action": "x", "ms": 1, "status": "success"}]}'),
       pg_temp.call(:'agent', '{"outcome": "voicemail"}'), pg_temp.call(:'agent',
           '{"duration": "1:00"}') \g /dev/null

CREATE FUNCTION pg_temp.figures(of_what text) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.of_alice('SELECT (p50_answer_time, p95_answer_time, interruptions, talk_share,
            transfer_rate, containment_rate, cost, currency, tool_success_rate)::text FROM ' || of_what) $$;
CREATE TABLE expected AS
    SELECT '(00:00:00.4,00:00:00.8,0.500,0.600,0.333,0.333,0.35000000000000000000,USD,0.750)' AS figures;
SELECT is(pg_temp.figures($$vrm.call_summary('-infinity', 'infinity')$$), figures,
          'a summary of all times') FROM expected;
SELECT is(pg_temp.figures($$vrm.call_summary(now() - interval '1 hour', now() + interval '1 hour',
          compare => false)$$), figures,
          'of an hour') FROM expected;
SELECT is(pg_temp.figures($$vrm.call_series(now() - interval '1 year', now() + interval '1 year',
          '10 years')$$), figures,
          'a series') FROM expected;
SELECT is(pg_temp.figures($$vrm.agent_performance('-infinity', 'infinity')$$), figures, 'an agent')
          FROM expected;
SELECT is(pg_temp.of_alice($$SELECT (vrm.call_summary_json('-infinity',
          'infinity') #>> '{current,p95_answer_time}')$$), '00:00:00.8',
          'a document');
SELECT is(pg_temp.of_alice($$SELECT count(*) FROM vrm.call_summary('-infinity', 'infinity')$$), '1',
          'before all times there is nothing to compare');
SELECT is(pg_temp.of_alice($$SELECT count(*) FROM vrm.call_summary('4713-01-01 BC',
          '294276-01-01')$$), '1', 'nor before the first day of the calendar');
SELECT is(pg_temp.of_alice($$SELECT count(*) FROM vrm.agent_performance('infinity', '-infinity')$$),
          '0', 'backwards there are no calls');

SELECT pg_temp.of_alice('SELECT vrm.call_statistics()') AS from_facts \gset
SELECT vrm_private.compact_calls() \g /dev/null
SELECT is(pg_temp.of_alice('SELECT vrm.call_statistics()'), :'from_facts',
          'compacted it is the same to the byte');
SELECT is(pg_temp.figures($$vrm.call_summary('-infinity', 'infinity')$$), figures,
          'and in figures') FROM expected;
SELECT is((SELECT array_agg(DISTINCT get_byte(stats, 0)) FROM vrm.call_rollup WHERE grain !~ 'parts'), '{2}',
          'in states of version 2');
SELECT is((SELECT rollup::jsonb #> '{conversation,cost}'
           FROM (SELECT vrm.rollup(s) FROM unnest(ARRAY[:'from_facts'::vrm.call_stats,
                 (SELECT vrm.call_stats('completed', 1000, NULL, NULL, NULL, false, NULL, NULL,
                     NULL, NULL, NULL, NULL, NULL, 5, 'EUR'))]) AS s) AS r),
          '{"EUR": 0.000005, "USD": 0.35}', 'costs of several currencies are kept apart');
SELECT is((SELECT (c.cost_micros, c.currency)::text FROM vrm.conversation_summary(
              (SELECT vrm.rollup(s) FROM unnest(ARRAY[:'from_facts'::vrm.call_stats,
                  (SELECT vrm.call_stats('completed', 1000, NULL, NULL, NULL, false, NULL, NULL,
                      NULL, NULL, NULL, NULL, NULL, 5, 'EUR'))]) AS s)) AS c),
          '(,)', 'and have no sum');
SELECT is((SELECT vrm.rollup(s)::text FROM unnest(ARRAY[:'from_facts'::vrm.call_stats,
          '\x0100000000000000000000000000000000']) AS s), :'from_facts',
          'a state of version 1.0 is merged');
SELECT is(vrm.answer_time_quantile(:'from_facts', 0.5), '0.4 s'::interval,
          'any quantile can be asked for');
SELECT throws_ok(format('SELECT vrm.answer_time_quantile(%L, 2)', :'from_facts'), '22003', NULL,
          'from 0 to 1');
SELECT throws_ok(format('SELECT %L::vrm.call_stats', :'from_facts' || '00'), '22P03', NULL,
          'what is no state is refused');
SELECT throws_ok($$SELECT vrm.call_stats('completed', 1, NULL, NULL,
          NULL, false, -1, 1, 1, NULL, 1, 1, NULL, 1, NULL)$$, '22023', NULL,
                 'figures are not negative');

-- a column set by hand
UPDATE vrm.test_runs SET outcome = 'transferred', cost = 1, currency = 'EUR' WHERE outcome = 'resolved';
SELECT is((SELECT string_agg(concat_ws(' ', outcome, outcome_kind, cost_micros, currency),
          '; ' ORDER BY cost_micros DESC)
           FROM vrm.call_facts WHERE cost_micros IS NOT NULL),
               'transferred transferred 1000000 EUR; transferred transferred 250000 USD',
          'facts follow columns');
SELECT is((SELECT pg_temp.of_alice($$SELECT (transfer_rate, cost, currency)::text
          FROM vrm.call_summary('-infinity', 'infinity')$$)),
          '(0.667,,)', 'and dashboards them');
SELECT pg_temp.call(:'agent', '{"duration": "0:07", "transcript": [
           {"speaker": "Agent", "message": "a", "time": "00:00"},
           {"speaker": "Customer", "message": "b", "time": "00:02"},
           {"speaker": "Agent", "message": "c", "time": "00:03", "interrupted": true}]}') \g /dev/null
SELECT is((SELECT (agent_ms, customer_ms, interruptions, length(answers))::text FROM vrm.call_facts
           WHERE duration_ms = 7000), '(2000,1000,1,)', 'whole seconds tell who spoke, and give no answers');

SELECT * FROM finish();
ROLLBACK;
