-- Dashboards: every figure against plain SQL, series in every kind of time zone, filters, documents.
BEGIN;
SELECT plan(103);
\ir ../include/people.sql
\ir ../include/generated_calls.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob \gset
SELECT pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('reception')$$) AS agent,
       pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('sales')$$) AS second_agent \gset
CREATE FUNCTION pg_temp.of_alice(query text) RETURNS text LANGUAGE sql AS
    $$ SELECT pg_temp.as_user((SELECT id FROM auth.users WHERE email = 'alice@example.org'), query) $$;
INSERT INTO vrm.test_runs (user_id, agent_id, status, started_at, completed_at, results, error)
SELECT :'alice', CASE WHEN n % 3 = 0 THEN :'agent' ELSE :'second_agent' END::uuid, status,
    started_at + n * interval '40 minutes',
       completed_at + n * interval '40 minutes', CASE WHEN status <> 'running' THEN results END,
       CASE WHEN status = 'failed' THEN (ARRAY['Line dropped', 'no answer', 'LLM rate limited'])[1 + n % 3] END
FROM generated_calls WHERE n <= 4000;
SELECT vrm_private.compact_calls(1000) \g /dev/null
CREATE VIEW plain AS
    SELECT r.*, p.duration_ms, p.customer, p.sentiment, p.actions, p.bad
    FROM vrm.test_runs r JOIN plain_calls p ON r.started_at = p.started_at + p.n * interval '40 minutes';

-- summary ----------------------------------------------------------------------------------------------

SELECT is(pg_temp.of_alice(format($$SELECT %s FROM vrm.call_summary('2026-03-01', '2026-04-01') WHERE period = %L$$,
                                  figure, period)), value, period || ': ' || figure)
FROM (VALUES ('current', '2026-03-01'::timestamptz, '2026-04-01'::timestamptz),
      ('previous', '2026-01-29', '2026-03-01')) AS p (period, since, until),
LATERAL (SELECT count(*) AS calls, count(*) FILTER (WHERE status = 'completed') AS completed,
         count(*) FILTER (WHERE status = 'failed') AS failed,
                count(*) FILTER (WHERE status = 'running') AS running,
                round(count(*) FILTER (WHERE status = 'completed')::numeric / count(*)
                      FILTER (WHERE status IN ('completed', 'failed')), 3) AS success_rate,
                make_interval(secs => round(avg(duration_ms) FILTER (WHERE status = 'completed') / 1000, 6)::float8)
                AS average_duration,
                make_interval(secs => max(duration_ms) FILTER (WHERE status = 'completed') / 1000.0::float8)
                AS max_duration,
                count(*) FILTER (WHERE sentiment = 'negative' AND status <> 'running') AS negative,
                sum(actions) FILTER (WHERE status <> 'running') AS actions,
                count(*) FILTER (WHERE bad AND status <> 'running') AS bad
         FROM plain WHERE started_at >= since AND started_at < until) AS o,
LATERAL (VALUES ('calls', calls::text), ('completed', completed::text), ('failed', failed::text),
         ('running', running::text), ('success_rate', success_rate::text),
         ('average_duration', average_duration::text), ('max_duration', max_duration::text),
         ('negative', negative::text), ('actions', actions::text), ('bad', bad::text)) AS f (figure, value);
SELECT is(pg_temp.of_alice(format($$SELECT bool_and(change = current - previous)
                                  FROM (SELECT sum(%1$s) FILTER (WHERE period = 'current') AS current,
              sum(%1$s) FILTER (WHERE period = 'previous') AS previous,
              sum(%1$s) FILTER (WHERE period = 'change') AS change
              FROM vrm.call_summary('2026-03-01', '2026-04-01')) AS s$$, figure)), 'true', 'the change of ' || figure)
FROM unnest(ARRAY['calls', 'success_rate', 'p95_duration', 'customers']) AS figure;
SELECT is(pg_temp.of_alice($$SELECT string_agg(period, ' ')
                           FROM vrm.call_summary('2026-03-01', '2026-04-01', compare => false)$$), 'current',
          'compared only when asked to');
SELECT is(pg_temp.of_alice($$SELECT sum(calls) FROM vrm.agent_performance('2026-03-01', '2026-04-01')$$),
          pg_temp.of_alice($$SELECT calls FROM vrm.call_summary('2026-03-01', '2026-04-01', compare => false)$$),
          'agents add up to the summary');
SELECT is(pg_temp.of_alice(format($$SELECT calls
                                  FROM vrm.call_summary('2026-03-01', '2026-04-01', ARRAY[%L]::uuid[], false)$$,
                                  :'agent')),
          pg_temp.of_alice($$SELECT calls FROM vrm.agent_performance('2026-03-01', '2026-04-01')
                           WHERE agent = 'reception'$$), 'a summary of one agent');
SELECT is(pg_temp.as_user(:'bob',
                          $$SELECT calls || ' ' || coalesce(success_rate::text, 'null') || ' '
                          || coalesce(p95_duration::text, 'null') FROM vrm.call_summary('2026-03-01', '2026-04-01')
                          WHERE period = 'current'$$),
          '0 null null', 'nothing gives counts of zero and null means');

SELECT is(pg_temp.of_alice($$SELECT count(*) FROM vrm.agent_performance('2026-03-01', '2026-04-01') p,
                           vrm.summary(vrm.call_statistics('2026-03-01', '2026-04-01', ARRAY[p.agent_id])) f
              WHERE (p.calls, p.completed, p.failed, p.p50_duration, p.p95_duration, p.actions, p.customers, p.bad)
                  = (f.calls, f.completed, f.failed, f.p50_duration, f.p95_duration, f.actions, f.customers, f.bad)$$),
                  '2', 'the figures of an agent stand in their columns');
SELECT is(pg_temp.of_alice($$SELECT count(*) FROM vrm.call_summary('2026-03-01', '2026-03-30', compare => false) s,
                           vrm.summary(vrm.call_statistics('2026-03-01', '2026-03-30')) f
              WHERE f.positive <> f.neutral
              AND (s.queued, s.cancelled, s.stddev_duration, s.p50_duration, s.p95_duration, s.p99_duration,
                   s.positive, s.neutral, s.customers)
                  = (f.queued, f.cancelled, f.stddev_duration, f.p50_duration, f.p95_duration, f.p99_duration,
                     f.positive, f.neutral, f.customers)$$), '1', 'so do those of a summary');

-- series -----------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.series(since timestamptz, until timestamptz, bucket interval, zone text) RETURNS text
    LANGUAGE sql AS $$
    SELECT pg_temp.of_alice(format('SELECT vrm.call_series_json(%L, %L, %L, %L)', since, until, bucket, zone)) $$;
-- days of local calendars: those of SQL, the empty ones included
SELECT is((SELECT string_agg((b ->> 'calls') || ' ' || (b ->> 'completed'),
                             ',' ORDER BY (b ->> 'bucket_since')::timestamptz)
           FROM jsonb_array_elements(pg_temp.series(since, until, bucket, zone)::jsonb) AS b),
          (SELECT string_agg(calls || ' ' || completed, ',' ORDER BY l) FROM (
              SELECT l, count(p.id) AS calls, count(*) FILTER (WHERE p.status = 'completed') AS completed
              FROM generate_series(since AT TIME ZONE zone, until AT TIME ZONE zone - interval '1 microsecond', bucket)
              AS l
              LEFT JOIN plain p ON p.started_at >= l AT TIME ZONE zone
              AND p.started_at < (l + bucket) AT TIME ZONE zone GROUP BY l) AS days),
          format('%s in %s', bucket, zone))
FROM (VALUES ('2026-03-01 00:00+00'::timestamptz, '2026-04-15 00:00+00'::timestamptz, '1 day'::interval, 'UTC'),
             ('2026-03-01 00:00+01', '2026-04-15 00:00+02', '1 day', 'Europe/Berlin'),
             ('2026-03-01 00:00-05', '2026-03-20 00:00-04', '1 day', 'America/New_York'),
             ('2026-03-01 00:00+05:30', '2026-03-10 00:00+05:30', '1 day', 'Asia/Kolkata'),
             ('2026-03-01 00:00+05:45', '2026-03-10 00:00+05:45', '1 day', 'Asia/Kathmandu'),
             ('2026-04-01 00:00+11', '2026-04-10 00:00+10:30', '1 day', 'Australia/Lord_Howe'),
             ('2026-01-01 00:00+01', '2026-05-01 00:00+02', '1 month', 'Europe/Berlin'),
             ('2026-03-02 00:00+01', '2026-04-06 00:00+02', '7 days', 'Europe/Berlin'),
             ('2026-02-28 22:00+00', '2026-03-01 03:00+00', '15 minutes', 'UTC')) AS s (since, until, bucket, zone);
SELECT is((SELECT string_agg(extract(epoch
                                     FROM (b ->> 'bucket_until')::timestamptz - (b ->> 'bucket_since')::timestamptz) /
                             3600 || '', ' ' ORDER BY (b ->> 'bucket_since')::timestamptz)
           FROM jsonb_array_elements(pg_temp.series(since, until, '1 day', zone)::jsonb) AS b
           WHERE extract(epoch FROM (b ->> 'bucket_until')::timestamptz - (b ->> 'bucket_since')::timestamptz)
           <> 86400),
          expected::float8::numeric(20, 16) || '', 'the day of the change has ' || expected || ' hours in ' || zone)
FROM (VALUES ('2026-03-01 00:00+01'::timestamptz, '2026-04-15 00:00+02'::timestamptz, 'Europe/Berlin', '23'),
      ('2026-10-01 00:00+02', '2026-11-15 00:00+01', 'Europe/Berlin', '25'),
             ('2026-04-01 00:00+11', '2026-04-10 00:00+10:30', 'Australia/Lord_Howe', '24.5'),
             ('2026-09-01 00:00-04', '2026-09-10 00:00-03', 'America/Santiago', '23')) AS s (since, until, zone,
                 expected);
SELECT is((SELECT string_agg(to_char((b ->> 'bucket_since')::timestamptz AT TIME ZONE 'Pacific/Apia', 'DD') || '-'
                             || to_char((b ->> 'bucket_until')::timestamptz AT TIME ZONE 'Pacific/Apia', 'DD'), ' ')
           FROM jsonb_array_elements(pg_temp.series('2011-12-28 00:00-10', '2012-01-01 00:00+14', '1 day',
                                                    'Pacific/Apia')::jsonb) AS b),
          '28-29 29-31 31-01', 'a day that a zone has skipped has no bucket');
SELECT pg_temp.series('2026-03-01 00:00+01', '2026-04-15 00:00+02', '1 day', 'Europe/Berlin') AS in_berlin \gset
SET LOCAL timezone = 'America/New_York';
SELECT is((SELECT jsonb_agg(b - 'bucket_since' - 'bucket_until')
           FROM jsonb_array_elements(pg_temp.series('2026-03-01 00:00+01', '2026-04-15 00:00+02', '1 day',
                                                    'Europe/Berlin')::jsonb) AS b),
          (SELECT jsonb_agg(b - 'bucket_since' - 'bucket_until') FROM jsonb_array_elements(:'in_berlin') AS b),
          'the session''s own time zone does not matter');
SET LOCAL timezone = 'UTC';
SELECT is(jsonb_array_length(pg_temp.series('2026-03-01 10:00Z', '2026-03-01 12:30Z', '1 hour',
                                            'Asia/Kolkata')::jsonb), 3,
          'hours are those of the local clock, the first and the last cut off');
SELECT is((pg_temp.series('2026-03-01 10:00Z', '2026-03-01 12:30Z', '1 hour', 'Asia/Kolkata')::jsonb) #>>
          '{0,bucket_since}', '2026-03-01T09:30:00+00:00', 'in a zone of half hours');
SELECT is((SELECT sum((b ->> 'calls')::int)
           FROM jsonb_array_elements(pg_temp.series('2026-03-01 10:10Z', '2026-03-05 12:30Z', '6 hours',
                                                    'Europe/Berlin')::jsonb) AS b),
          (SELECT count(*) FROM plain WHERE started_at >= '2026-03-01 10:10Z' AND started_at < '2026-03-05 12:30Z'),
          'what is cut off is not counted');
SELECT is((SELECT string_agg((b ->> 'bucket_since')::timestamptz || ' ' || (b ->> 'calls'), ', '
                             ORDER BY (b ->> 'bucket_since')::timestamptz)
           FROM jsonb_array_elements(pg_temp.series('2026-02-26 10:10Z', '2026-04-03 12:30Z', bucket,
                                                    'Asia/Kathmandu')::jsonb) AS b
           WHERE b ->> 'calls' <> '0'),
          (SELECT string_agg(n.first || ' ' || n.calls, ', ' ORDER BY n.first)
           FROM (SELECT date_trunc(unit, started_at AT TIME ZONE 'Asia/Kathmandu') AT TIME ZONE 'Asia/Kathmandu'
                            AS first, count(*) AS calls
                 FROM plain WHERE started_at >= '2026-02-26 10:10Z' AND started_at < '2026-04-03 12:30Z'
                 GROUP BY 1) AS n),
          'the first and the last ' || unit || ' are told whole, and have the calls of the time alone')
FROM (VALUES ('1 day'::interval, 'day'), ('7 days', 'week'), ('1 month', 'month'), ('3 months', 'quarter'),
             ('1 year', 'year')) AS s (bucket, unit);
SELECT is(pg_temp.series('2030-01-01', '2030-01-08', '1 day', 'UTC')::jsonb
          @> '[{"calls": 0, "success_rate": null, "p95_duration": null, "customers": 0}]'
          AND jsonb_array_length(pg_temp.series('2030-01-01', '2030-01-08', '1 day', 'UTC')::jsonb) = 7, true,
          'gaps are filled');
SELECT is(pg_temp.of_alice(format('SELECT count(*) FROM vrm.call_series(%s)', bad)), state, 'no series: ' || bad)
FROM (VALUES ('''2026-01-01'', ''2026-02-01'', ''0''', '22023'),
      ('''2026-01-01'', ''2026-02-01'', ''-1 day''', '22023'),
      ('''2026-01-01'', ''2026-02-01'', ''1 day 1 hour''', '22023'),
             ('''2026-01-01'', ''2026-02-01'', ''1 day'', NULL', '22023'),
             ('''294276-12-30'', ''294276-12-31'', ''1 day''', '22023'),
             ('''4714-12-01 BC'', ''4713-01-03 BC'', ''1 month''', '22023'),
             ('''2026-01-01'', ''2026-02-01'', ''178000000 years''', '22023'),
             ('''2026-01-01'', ''2026-02-01'', NULL', '22023'), ('''2026-02-01'', ''2026-01-01'', ''1 day''', '22023'),
             ('''-infinity'', ''2026-01-01'', ''1 day''', '22023'),
             ('''2026-01-01'', ''2027-02-01'', ''1 second''', '54000'),
             ('''2026-01-01'', ''2026-02-01'', ''1 day'', ''Mars/Base''', '22023')) AS b (bad, state);
SELECT is(pg_temp.of_alice(format('SELECT count(*) FROM vrm.statistics_by_bucket(%L)', bad)), '22023',
          'no edges of buckets: ' || bad)
FROM unnest(ARRAY['{2026-01-02,2026-01-01}', '{2026-01-01,NULL}', '{-infinity,2026-01-01}', '{2026-01-01,infinity}',
                  '{2026-01-03,2026-01-04,2026-01-03}']) AS bad;

-- agents, failures, history ---------------------------------------------------------------------------

SELECT is(pg_temp.of_alice($$SELECT string_agg(reason || ' ' || calls, ', ')
                           FROM vrm.failure_reasons('2026-01-01', '2027-01-01')$$),
          (SELECT string_agg(error || ' ' || n, ', ' ORDER BY n DESC, error)
           FROM (SELECT error, count(*) AS n FROM plain WHERE status = 'failed' GROUP BY 1) AS e),
           'reasons of failures');
SELECT is(pg_temp.of_alice($$SELECT count(*) || ' ' || sum(share)
                           FROM vrm.failure_reasons('2026-01-01', '2027-01-01', 1)$$),
          (SELECT '1 ' || round(max(n) / sum(n), 3)
           FROM (SELECT count(*) AS n FROM plain WHERE status = 'failed' GROUP BY error) AS e),
           'the first of them, and its share of all');
SELECT is(pg_temp.of_alice(format('SELECT count(*) FROM vrm.call_history(%L, page_size => 1000)', filter)),
          expected::text, 'history: ' || filter)
FROM (SELECT '{"error": "LINE"}', count(*) FROM plain WHERE error ILIKE '%line%'
      UNION ALL SELECT '{"sentiment": "negative", "until": "2026-02-01"}',
      count(*) FROM plain WHERE sentiment = 'negative' AND status <> 'running' AND started_at < '2026-02-01'
      UNION ALL SELECT '{"sentiment": "positive", "status": "failed"}',
      count(*) FROM plain WHERE sentiment = 'positive' AND status = 'failed'
      UNION ALL SELECT '{"error": "100%"}', 0) AS f (filter, expected);
SELECT is(pg_temp.of_alice('SELECT count(*) FROM vrm.call_history(''{"sentiment": "furious"}'')'), '22023',
          'no such sentiment');
SELECT is(pg_temp.of_alice($$SELECT jsonb_array_length(d -> 'calls') || ' '
                           || (d ->> 'next_cursor' = (SELECT next_cursor FROM vrm.call_history(page_size => 3)
                                                      ORDER BY started_at LIMIT 1))
                             FROM vrm.call_history_json(page_size => 3) AS d$$), '3 true', 'a page as a document');
SELECT is(pg_temp.as_user(:'bob', 'SELECT vrm.call_history_json()'), '{"calls": [], "next_cursor": null}',
          'an empty one');
SELECT is(pg_temp.of_alice(format('SELECT (%s) IS NOT NULL', document)), 'true', document)
FROM unnest(ARRAY['vrm.user_dashboard_json()', 'vrm.live_calls_json()',
                  'vrm.agent_performance_json(''2026-01-01'', ''2026-02-01'')',
                  'vrm.failure_reasons_json(''2026-01-01'', ''2026-02-01'')',
                  'vrm.call_summary_json(''2026-01-01'', ''2026-02-01'') -> ''change''']) AS document;

-- infinity, as a bound and as the time of a call ---------------------------------------------------------

INSERT INTO vrm.test_runs (user_id, agent_id, status, started_at, completed_at, error)
SELECT :'alice', :'agent', status, '-infinity', CASE WHEN status = 'failed' THEN now() END, 'late'
FROM unnest('{queued,failed}'::text[]) AS status;
SELECT is(pg_temp.of_alice(format('SELECT count(*) > 0 FROM vrm.%s', question)), 'true', question)
FROM unnest(ARRAY[
    'call_summary(''-infinity'', ''infinity'')', 'call_summary(now(), ''infinity'')',
    'call_summary(''infinity'', ''-infinity'')', 'agent_performance(''-infinity'', ''infinity'')',
    'failure_reasons(''-infinity'', ''infinity'')', 'call_statistics(''-infinity'', ''infinity'')',
    'statistics_between(''{-infinity,2026-02-01,infinity}'')', 'statistics_by_agent(''-infinity'', ''infinity'')',
    'live_calls()', 'user_dashboard()', 'calls WHERE started_at = ''-infinity''',
    'call_history(''{"since": "-infinity", "until": "infinity", "error": "late"}'')',
    'metric_summary(vrm.uuid7(), ''-infinity'', ''infinity'')']) AS question;
SELECT is(pg_temp.of_alice('SELECT count(*) FROM vrm.call_history(''{"error": "late"}'','
                           ' (SELECT next_cursor FROM vrm.call_history(''{"error": "late"}'', page_size => 1)))'), '1',
          'pages go on behind them');
SELECT is(pg_temp.of_alice(format('SELECT count(*) FROM vrm.%s', question)), '22023', 'refused: ' || question)
FROM unnest(ARRAY['call_series(''-infinity'', now(), ''1 day'')', 'call_series(now(), ''infinity'', ''1 day'')',
                  'statistics_by_bucket(''{-infinity,infinity}'')']) AS question;

-- plans that are kept -------------------------------------------------------------------------------------

ANALYZE vrm.test_runs;
CREATE FUNCTION pg_temp.rows_read() RETURNS bigint LANGUAGE sql AS $$
    SELECT sum(t.seq_tup_read + coalesce(t.idx_tup_fetch, 0))::bigint FROM pg_stat_xact_user_tables t
    WHERE t.relid = 'vrm.test_runs'::regclass
$$;
DISCARD PLANS;
SELECT pg_temp.as_user(:'bob', 'SELECT calls FROM vrm.user_dashboard()') FROM generate_series(1, 12) \g /dev/null
SELECT pg_temp.rows_read() AS read_before \gset
SELECT pg_temp.of_alice('SELECT calls FROM vrm.user_dashboard()') \g /dev/null
SELECT cmp_ok(pg_temp.rows_read() - :read_before, '<', 200::bigint,
              'a plan that was made for somebody without calls reads few rows of one with thousands');

SELECT * FROM finish();
ROLLBACK;
