-- Dashboards by name, and the cache that callers may ask for: off by default, never older than asked,
-- with all that had begun when it was made, and nobody's but the caller's.
BEGIN;
SELECT plan(68);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob \gset
SELECT pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('reception')$$) AS agent,
    pg_temp.as_user(:'bob', $$SELECT vrm.create_agent('sales')$$) AS bobs_agent \gset
INSERT INTO vrm.test_runs (user_id, agent_id, status, started_at, completed_at, results, error)
    SELECT :'alice', :'agent', CASE WHEN n = 1 THEN 'failed' ELSE 'completed' END,
        '2026-03-01 10:00Z'::timestamptz + n * interval '1 hour',
           '2026-03-01 10:00Z'::timestamptz + n * interval '1 hour 1 minute', '{"duration": "1:00"}',
               CASE WHEN n = 1 THEN 'no answer' END
    FROM generate_series(1, 3) AS n;
INSERT INTO vrm.metrics (user_id, name, prompt) VALUES (:'alice', 'politeness', 'Polite?') RETURNING id AS metric \gset
CREATE FUNCTION pg_temp.of_alice(query text) RETURNS text LANGUAGE sql AS
    $$ SELECT pg_temp.as_user((SELECT id FROM auth.users WHERE email = 'alice@example.org'), query) $$;
CREATE FUNCTION pg_temp.entries() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM vrm.cached_results';

-- by name, the same documents ---------------------------------------------------------------------------

SELECT is(pg_temp.of_alice(format('SELECT vrm.dashboard(%L, %L)', name, arguments)),
          pg_temp.of_alice(format('SELECT vrm.%s_json(%s)', name, by_hand)), name || ' by name')
FROM (VALUES ('user_dashboard', '{}', ''),
      ('call_summary', '{"since": "2026-03-01", "until": "2026-03-02"}', '''2026-03-01'', ''2026-03-02'''),
             ('call_summary',
              format('{"since": "2026-03-01", "until": "2026-03-02", "agents": ["%s"], "compare": false}', :'agent'),
              format('''2026-03-01'', ''2026-03-02'', ARRAY[%L]::uuid[], false', :'agent')),
             ('call_series',
              '{"since": "2026-03-01", "until": "2026-03-05", "bucket": "1 day", "time_zone": "Europe/Berlin"}',
              '''2026-03-01'', ''2026-03-05'', ''1 day'', ''Europe/Berlin'''),
             ('agent_performance', '{"since": "2026-03-01", "until": "2026-03-02"}', '''2026-03-01'', ''2026-03-02'''),
             ('failure_reasons', '{"since": "2026-03-01", "until": "2026-03-02", "n": 3}',
              '''2026-03-01'', ''2026-03-02'', 3'), ('live_calls', '{}', ''),
             ('call_history', '{"filter": {"status": "failed"}, "page_size": 2}',
              '''{"status": "failed"}'', page_size => 2'),
             ('metric_summary', format('{"metric_id": "%s", "since": null, "until": "infinity"}', :'metric'),
              format('%L, NULL, ''infinity''', :'metric'))) AS d (name, arguments, by_hand);
SELECT is(pg_temp.of_alice(format('SELECT vrm.dashboard(%s)', bad)), state, 'refused: ' || bad)
FROM (VALUES ('NULL', '22023'), ('''user_profiles''', '22023'), ('''call_statistics''', '22023'),
      ('''live_calls'', ''[]''', '22023'), ('''live_calls'', NULL', '22023'),
             ('''live_calls'', ''{}'', ''-1 s''', '22023'), ('''live_calls'', ''{}'', ''61 minutes''', '22023'),
             ('''live_calls'', ''{}'', NULL', '22023'),
             ('''live_calls'', ''{"who": 1}''', '22023'), ('''call_summary'', ''{"since": "2026-03-01"}''', '22023'),
             ('''call_summary'', ''{"since": "x", "until": "y"}''', '22023'),
             ('''call_summary'', ''{"since": "now", "until": "now", "agents": ["x"]}''', '22023'),
             ('''failure_reasons'', ''{"since": "now", "until": "now", "n": "many"}''', '22023'),
             ('''failure_reasons'', ''{"since": "now", "until": "now", "n": 1e30}''', '22023'),
             ('''call_series'', ''{"since": "now", "until": "now", "bucket": {"days": 1}}''', '22023'),
             ('''live_calls'', ''{") FROM (SELECT 1 / 0) AS x; --": 1}''', '22023'),
             ('''call_summary'', ''{"since": "now''''); DELETE FROM vrm.agents; --", "until": "y"}''', '22023'))
             AS b (bad, state);
CREATE FUNCTION pg_temp.error_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    EXECUTE query;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', SQLERRM, detail, hint);
END
$$;
SELECT is(pg_temp.error_of($$SELECT vrm.dashboard('failure_reasons',
                                                  '{"since": "now", "until": "now", "n": "many"}')$$),
          E'an argument of dashboard "failure_reasons" is not valid\n'
          'Invalid input syntax for type integer: "many".\n'
          'They are since timestamp with time zone, until timestamp with time zone, n integer DEFAULT 10.',
          'an error says which value it is, and what a dashboard takes');
SELECT is(pg_temp.entries(), 0::bigint, 'nothing is kept unless it is asked for');
SELECT is(pg_temp.as_anon('SELECT vrm.dashboard(''live_calls'')'), '42501', 'nobody in particular has no dashboard');

-- from the cache ----------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.calls(age text, arguments text DEFAULT '{}') RETURNS text LANGUAGE sql AS
    $$ SELECT pg_temp.of_alice(format('SELECT vrm.dashboard(''user_dashboard'', %L, %L) ->> ''calls''', arguments,
                                      age)) $$;
CREATE FUNCTION pg_temp.fake(what text) RETURNS void
    LANGUAGE sql AS $$ UPDATE vrm.cached_results SET result = jsonb_set(result, '{calls}', to_jsonb(what))
    WHERE jsonb_typeof(result) = 'object' $$;
SELECT is(pg_temp.calls('10 minutes'), '3', 'with an age it is made');
SELECT is(pg_temp.entries(), 1::bigint, 'and kept');
SELECT pg_temp.fake('kept') \g /dev/null
SELECT is(pg_temp.calls('10 minutes'), 'kept', 'and found');
SELECT is(pg_temp.calls('0'), '3', 'not by those who ask for none');
SELECT is(pg_temp.of_alice('SELECT vrm.user_dashboard_json() ->> ''calls'''), '3', 'nor by the dashboard itself');
UPDATE vrm.cached_results SET made_at = made_at - interval '5 minutes';
SELECT is(pg_temp.calls('6 minutes'), 'kept', 'as long as it is young enough');
SELECT is(pg_temp.calls('4 minutes'), '3', 'then it is made anew');
SELECT is(pg_temp.entries(), 1::bigint, 'in the same place');
SELECT pg_temp.fake('kept') \g /dev/null
SELECT is(pg_temp.calls('4 minutes'), 'kept', 'and is young again');
SELECT is(pg_temp.of_alice($$SELECT vrm.dashboard('live_calls', max_age => '10 minutes')$$), '[]',
          'another dashboard is another result');
CREATE FUNCTION pg_temp.calls_with(setting text, value text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    before text := current_setting(setting);
    calls text;
BEGIN
    PERFORM set_config(setting, value, true);
    calls := pg_temp.calls('10 minutes');
    PERFORM set_config(setting, before, true);
    RETURN calls;
END
$$;
SELECT is(pg_temp.calls_with(setting, value), '3', 'so is one in another ' || setting)
    FROM (VALUES ('TimeZone', 'Asia/Kolkata'), ('IntervalStyle', 'iso_8601'), ('DateStyle', 'German'))
    AS s (setting, value);
SELECT is(pg_temp.calls('10 minutes'), 'kept', 'the first one is still there');
SELECT pg_temp.of_alice(format('SELECT vrm.start_test_run(%L)', :'agent')) AS run \gset
SELECT is(pg_temp.calls('10 minutes'), '4', 'a call of the same transaction makes it out of date');
SELECT is(pg_temp.calls('10 minutes'), '4', 'and what is made then is kept');
SELECT pg_temp.fake('kept') \g /dev/null
SELECT pg_temp.of_alice(format('SELECT vrm.complete_test_run(%L)', :'run')) \g /dev/null
SELECT is(pg_temp.calls('10 minutes'), '4', 'so does one that ends');
SELECT pg_temp.fake('kept') \g /dev/null
SELECT pg_temp.as_user(:'bob', format('SELECT vrm.start_test_run(%L)', :'bobs_agent')) \g /dev/null
SELECT is(pg_temp.calls('10 minutes'), 'kept', 'calls of others do not');
SELECT is(pg_temp.of_alice('SELECT vrm.forget_cached_results() > 0'), 'true', 'its user has it forgotten');
SELECT is(pg_temp.calls('10 minutes'), '4', 'and made anew');
SELECT is(pg_temp.of_alice('SELECT vrm.dashboard(''call_history'', jsonb_build_object(''filter'', '
                           'jsonb_build_object(''error'', repeat(''x'', 1000))), ''1 hour'') ->> ''next_cursor'''),
          NULL,
          'arguments that are too long for a key are answered');
SELECT is(pg_temp.entries(), 1::bigint, 'and nothing is kept of them');

-- a call of transaction 7, which was open when the entry was made, or began later, or had been committed
INSERT INTO vrm.run_events (user_id, id, run_id, status, xid)
VALUES (:'alice', '018f0000-0000-7000-8000-000000000001', vrm.uuid7(), 'running', '7');
CREATE FUNCTION pg_temp.made_in(moment pg_snapshot) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.fake('kept');
    UPDATE vrm.cached_results SET snapshot = moment;
    SELECT pg_temp.calls('10 minutes') $$;
SELECT is(pg_temp.made_in('5:9:7'), '4', 'a call that is committed late makes it out of date');
SELECT is(pg_temp.made_in('5:7:'), 'kept', 'one that began later does not: the age is what the caller puts up with');
SELECT is(pg_temp.made_in('5:9:'), 'kept', 'what had been committed is in it');
SELECT coalesce(pg_sequence_last_value('vrm_private.cached_results_found'), 0) AS found,
       coalesce(pg_sequence_last_value('vrm_private.cached_results_made'), 0) AS made \gset
SELECT pg_temp.calls('10 minutes') \g /dev/null
SELECT pg_temp.of_alice('SELECT vrm.forget_cached_results()') \g /dev/null
SELECT is(pg_temp.calls('10 minutes'), '4', 'and is made anew');
SELECT cmp_ok((SELECT value FROM vrm_private.measure_jobs()
               WHERE name = 'vrm_jobs_cached_dashboards_total' AND labels ->> 'outcome' = outcome),
              '>', before::double precision, outcome || ' dashboards are counted')
FROM (VALUES ('found', :found), ('made', :made)) AS counter (outcome, before);

-- whose it is -------------------------------------------------------------------------------------------

SELECT pg_temp.fake('Alice''s') \g /dev/null
SELECT is(pg_temp.as_user(:'bob', $$SELECT vrm.dashboard('user_dashboard', max_age => '1 hour') ->> 'calls'$$), '1',
          'nobody gets what was made for somebody else');
SELECT is(pg_temp.as_user(NULL, $$SELECT vrm.dashboard('user_dashboard', max_age => '1 hour') ->> 'calls'$$), '28000',
          'who is nobody keeps nothing');
SELECT is(pg_temp.as_user(:'bob',
                          'SELECT count(*) || '' '' || count(*) FILTER (WHERE user_id = vrm.uid()) FROM '
                          'vrm.cached_results'), '1 1', 'or sees it');
SELECT is(pg_temp.as_user(:'bob',
                          format($$INSERT INTO vrm.cached_results (user_id, query, made_at) VALUES (%L, 'x', now())$$,
                                 :'alice')), '42501', 'or puts something into its place');
SELECT is(pg_temp.as_user(:'bob', 'UPDATE vrm.cached_results SET result = NULL; SELECT vrm.forget_cached_results()'),
          '1', 'or takes it away');
SELECT is(pg_temp.calls('10 minutes'), 'Alice''s', 'it is still there');

-- where nothing can be written ------------------------------------------------------------------------------

SELECT vrm_private.expire_cached_results() \g /dev/null
SELECT is(pg_temp.entries(), 1::bigint, 'maintenance leaves what is young');
UPDATE vrm.cached_results SET made_at = now() - interval '61 minutes';
SELECT is(vrm_private.expire_cached_results(), 1::bigint, 'maintenance deletes what is too old for anybody');
SELECT is((SELECT relpersistence::text FROM pg_class WHERE oid = 'vrm.cached_results'::regclass), 'u',
          'none of it goes through the log');
SET LOCAL transaction_read_only = on;
SELECT is(pg_temp.calls('10 minutes'), '4', 'a transaction that only reads gets its dashboard');
SELECT is(pg_temp.entries(), 0::bigint, 'and leaves nothing');

SELECT * FROM finish();
ROLLBACK;
