-- Calls as rows and as statistics: right figures, own rows only, and never a scan over other tenants' rows.
BEGIN;
SELECT plan(32);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob \gset
SELECT pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('reception')$$) AS agent,
       pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('sales')$$) AS second_agent,
       pg_temp.as_user(:'bob', $$SELECT vrm.create_agent('other')$$) AS bobs_agent \gset

-- twelve calls of Alice, a minute apart, dirty documents among them; one of Bob
INSERT INTO vrm.test_runs (user_id, agent_id, status, started_at, completed_at, results, error)
SELECT :'alice', CASE WHEN n <= 10 THEN :'agent'::uuid ELSE :'second_agent'::uuid END, status,
       '2026-03-01 10:00Z'::timestamptz + n * interval '1 minute',
       CASE WHEN status IN ('completed', 'failed', 'cancelled') THEN '2026-03-01 10:00Z'::timestamptz
           + (n + 0.5) * interval '1 minute' END,
       results::jsonb, CASE WHEN status = 'failed' THEN 'line dropped' END
FROM (VALUES (1, 'completed', '{"duration": "2:00", "sentiment": "positive", "customer": "c1", "actions": 3}'),
             (2, 'completed', '{"duration": "4:00", "sentiment": "negative"}'),
             (3, 'completed', '{"duration": "1:00:00", "sentiment": "positive"}'),
             (4, 'completed', '{"duration": "abc", "sentiment": "furious", "actions": "three"}'),
             (5, 'completed', '{"duration": "99:99:99", "actions": -1}'),
             (6, 'completed', '[]'),
             (7, 'failed', NULL), (8, 'failed', '{}'), (9, 'cancelled', NULL),
             (10, 'running', NULL), (11, 'queued', NULL), (12, 'completed', NULL)) AS call (n, status, results);
INSERT INTO vrm.test_runs (user_id, agent_id, status) VALUES (:'bob', :'bobs_agent', 'running');

CREATE FUNCTION pg_temp.of_alice(query text) RETURNS text LANGUAGE sql AS
    $$ SELECT pg_temp.as_user((SELECT id FROM auth.users WHERE email = 'alice@example.org'), query) $$;

-- typed calls ---------------------------------------------------------------------------------------

SELECT is(pg_temp.of_alice($$SELECT string_agg(coalesce(duration::text, '-'), ' ' ORDER BY started_at)
                           FROM vrm.calls$$),
          '00:02:00 00:04:00 01:00:00 00:00:30 00:00:30 00:00:30 00:00:30 00:00:30 00:00:30 - - 00:00:30',
          'a duration that cannot be read is taken from the clock');
SELECT is(pg_temp.of_alice($$SELECT string_agg(coalesce(sentiment::text, '-'), ' ' ORDER BY started_at)
                           FROM vrm.calls$$),
          'positive negative positive - - - - - - - - -', 'a sentiment that is none is null');
SELECT is(pg_temp.of_alice($$SELECT string_agg(coalesce(actions::text, '-'), ' ' ORDER BY started_at) FROM vrm.calls$$),
          '3 - - - - - - - - - - -', 'a number of actions that is none is null');

-- dashboard -------------------------------------------------------------------------------------------

SELECT is(pg_temp.of_alice(format('SELECT %s FROM vrm.user_dashboard()', figure)), value, 'dashboard: ' || figure)
FROM (VALUES ('agents', '2'), ('calls', '12'), ('live', '2'), ('completed', '7'), ('failed', '2'), ('cancelled', '1'),
             ('success_rate', '0.778'), ('average_duration', '00:09:42'),
             ('last_call_at AT TIME ZONE ''UTC''', '2026-03-01 10:12:00'),
             ('jsonb_array_length(recent_calls)', '5'), ('recent_calls #>> ''{0,agent}''', 'sales'))
             AS expected (figure, value);
SELECT is(pg_temp.as_user(:'bob', 'SELECT calls FROM vrm.user_dashboard()'), '1', 'users see their own');
SELECT is(pg_temp.as_user(NULL, 'SELECT calls FROM vrm.user_dashboard()'), '28000', 'nobody has none');
SELECT is(pg_temp.as_user(vrm.uuid7(), 'SELECT success_rate FROM vrm.user_dashboard()'), NULL,
          'and a rate of nothing is null');

-- agents ----------------------------------------------------------------------------------------------

SELECT is(pg_temp.of_alice($$SELECT string_agg(concat_ws(' ', agent, calls, completed, failed, success_rate,
                                                         average_duration, positive_share), ', ')
                             FROM vrm.agent_performance('2026-03-01', '2026-03-02')$$),
          'reception 10 6 2 0.750 00:11:15 0.667, sales 2 1 0 1.000 00:00:30', 'performance of each agent');
SELECT is(pg_temp.of_alice($$SELECT count(*) FROM vrm.agent_performance('2026-03-02', '2026-03-03')$$), '0',
          'within the time asked for');
SELECT is(pg_temp.of_alice($$SELECT sum(calls) FROM vrm.agent_performance('2026-03-01 10:01Z', '2026-03-01 10:02Z')$$),
          '1',
          'from since, included, to until, excluded');

-- live calls ------------------------------------------------------------------------------------------

SELECT is(pg_temp.of_alice($$SELECT string_agg(agent || ' ' || status, ', ') FROM vrm.live_calls()$$),
          'reception running, sales queued', 'live calls, oldest first');

-- one user among many: indexes, not scans -----------------------------------------------------------------

INSERT INTO auth.users (id) SELECT vrm.uuid7() FROM generate_series(1, 100);
INSERT INTO vrm.agents (user_id, agent_id) SELECT id, 'a' FROM auth.users WHERE email IS NULL;
INSERT INTO vrm.test_runs (user_id, agent_id, status, started_at, completed_at)
    SELECT a.user_id, a.id, 'completed', '2026-01-01'::timestamptz + n * interval '1 hour',
        '2026-01-01'::timestamptz + n * interval '1 hour'
    FROM vrm.agents a, generate_series(1, 200) AS n WHERE a.agent_id = 'a';
ANALYZE vrm.test_runs, vrm.agents, vrm.live_runs;
\ir ../include/plans.sql
SELECT matches(pg_temp.of_alice(format('SELECT pg_temp.plan_of(%L)', query)),
               '^(?!.*Seq Scan on test_runs).*(Index|Bitmap).* on test_runs',
               'an index serves: ' || name)
FROM (VALUES ('own calls', 'SELECT * FROM vrm.test_runs'),
             ('own calls of a time', 'SELECT * FROM vrm.test_runs WHERE started_at > ''2026-03-01'''),
             ('live calls', 'SELECT * FROM vrm.test_runs r WHERE r.status IN (''queued'', ''running'')'),
             ('one agent''s calls',
              'SELECT * FROM vrm.calls WHERE user_id = vrm.uid() ORDER BY started_at DESC LIMIT 5'),
             ('all calls, archive included', 'SELECT * FROM vrm.all_test_runs WHERE user_id = vrm.uid()'))
             AS of (name, query);

-- EXPLAIN does not look into functions; the counters of this transaction do.
CREATE FUNCTION pg_temp.scans() RETURNS bigint LANGUAGE sql AS
    $$ SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relid = 'vrm.test_runs'::regclass $$;
SELECT pg_temp.scans() AS scans \gset
SELECT is(pg_temp.of_alice(query) IS NOT NULL AND pg_temp.scans() = :scans, true, 'no sequential scan: ' || query)
FROM (VALUES ('SELECT calls FROM vrm.user_dashboard()'),
             ('SELECT count(*) FROM vrm.call_history(''{"status": "failed"}'')'),
             ('SELECT count(*) FROM vrm.call_history(cursor '
              '=> ''1800000000000000.ffffffff-ffff-ffff-ffff-ffffffffffff'')'),
             ('SELECT count(*) FROM vrm.agent_performance(''2026-03-01'', ''2026-03-02'')'),
             ('SELECT count(*) FROM vrm.live_calls()')) AS of (query);
SET LOCAL enable_indexscan = off;
SET LOCAL enable_bitmapscan = off;
SELECT is(pg_temp.of_alice('SELECT count(*) FROM vrm.test_runs') IS NOT NULL AND pg_temp.scans() > :scans, true,
          'the counter would have told');

SELECT * FROM finish();
ROLLBACK;
