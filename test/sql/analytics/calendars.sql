-- Calendars of local time zones: the same to the bit as adding up the calls of each local day, made of what is ready
-- alone.  Among them zones of half hours and quarters, daylight saving both ways, and a day that was skipped.
BEGIN;
SELECT plan(50);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob \gset
SELECT pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('reception')$$) AS agent,
       pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('sales')$$) AS second_agent,
       pg_temp.as_user(:'bob', $$SELECT vrm.create_agent('other')$$) AS bobs_agent \gset
CREATE FUNCTION pg_temp.of_alice(query text) RETURNS text LANGUAGE sql AS
    $$ SELECT pg_temp.as_user((SELECT id FROM auth.users WHERE email = 'alice@example.org'), query) $$;
-- a batch ends after half a second, which a busy machine needs for less than all
CREATE FUNCTION pg_temp.compact() RETURNS void LANGUAGE plpgsql AS
    $$ BEGIN WHILE vrm_private.compact_calls(10000) > 0 LOOP END LOOP; END $$;

-- what the days of a calendar are, by PostgreSQL's own knowledge of zones
CREATE TABLE calendar AS
SELECT name, zone, first, last,
       ARRAY(SELECT DISTINCT l AT TIME ZONE zone FROM generate_series(first::timestamp, last, '1 day') AS l ORDER BY 1)
       AS edges
FROM (VALUES ('days of 23 hours', 'America/New_York', '2026-03-06', '2026-03-11'::timestamp),
             ('days of 25 hours', 'America/New_York', '2026-10-30', '2026-11-04'),
             ('a zone of a half hour', 'Asia/Kolkata', '2026-03-06', '2026-03-11'),
             ('a zone of three quarters', 'Asia/Kathmandu', '2026-03-06', '2026-03-11'),
             ('days of 24.5 hours', 'Australia/Lord_Howe', '2026-04-03', '2026-04-08'),
             ('days of 23.5 hours', 'Australia/Lord_Howe', '2026-10-02', '2026-10-07'),
             ('a zone far in the east', 'Pacific/Kiritimati', '2026-03-06', '2026-03-11'),
             ('a skipped day', 'Pacific/Apia', '2011-12-28', '2012-01-02')) AS c (name, zone, first, last);
GRANT SELECT ON calendar TO authenticated;

-- a call every twenty minutes or so, some at the very beginning of a quarter, and one of Bob's beside each
INSERT INTO vrm.test_runs (user_id, agent_id, status, started_at, completed_at, results)
SELECT CASE WHEN whose = 0 THEN :'bob' ELSE :'alice' END::uuid,
       CASE WHEN whose = 0 THEN :'bobs_agent' WHEN n % 5 = 0 THEN NULL WHEN n % 2 = 0 THEN :'agent'
            ELSE :'second_agent' END::uuid,
       CASE WHEN n % 7 = 0 THEN 'failed' ELSE 'completed' END, moment, moment + interval '3 minutes',
       jsonb_build_object('duration', (n % 9 + 1) || ':0' || n % 10, 'customer', 'c' || n % 50, 'actions', n % 3)
FROM (SELECT row_number() OVER (ORDER BY start, k) AS n, whose,
             start + k * interval '20 minutes' + (k * k % 1009) * (k % 4) * interval '1.000001 s' AS moment
      FROM (SELECT DISTINCT edges[1] - interval '1 day' AS start FROM calendar) AS c,
           generate_series(0, 7 * 72) AS k, generate_series(0, 1) AS whose) AS call;
ANALYZE vrm.call_facts, vrm.test_runs;

CREATE FUNCTION pg_temp.direct(edges timestamptz[], agents uuid[]) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(b.n || b.stats::text, ' ' ORDER BY b.n)
    FROM (SELECT width_bucket(r.started_at, edges) AS n,
                 vrm.call_stats(r.status, r.started_at, r.completed_at, r.results) AS stats
          FROM vrm.test_runs r
          WHERE r.user_id = (SELECT id FROM auth.users WHERE email = 'alice@example.org')
            AND r.started_at >= edges[1] AND r.started_at < edges[cardinality(edges)]
            AND (agents IS NULL OR r.agent_id = ANY (agents))
          GROUP BY 1) AS b $$;
CREATE FUNCTION pg_temp.facts_read() RETURNS bigint LANGUAGE sql AS $$
    SELECT sum(pg_stat_get_xact_tuples_returned(r::regclass))
    FROM unnest(ARRAY['vrm.call_facts', 'vrm.call_facts_user_time', 'vrm.call_facts_pkey']) AS r $$;
CREATE FUNCTION pg_temp.ready(edges timestamptz[], agents uuid[]) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.of_alice(format('SELECT string_agg(n || stats::text, '' '' ORDER BY n)
                                    FROM (SELECT bucket AS n, vrm.rollup(stats) AS stats
                                          FROM vrm.statistics_by_bucket(%L, %L) GROUP BY 1) AS b', edges, agents)) $$;
CREATE FUNCTION pg_temp.compare(how text) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT is(pg_temp.ready(c.edges, a.ids), pg_temp.direct(c.edges, a.ids), concat_ws(', ', c.name, a.who, how))
    FROM calendar c,
         (VALUES (NULL, NULL::uuid[]),
                 ('one agent', ARRAY(SELECT id FROM vrm.agents WHERE agent_id = 'sales'))) AS a (who, ids)
    ORDER BY c.name, a.who $$;

SELECT pg_temp.compare('from facts');
SELECT pg_temp.compact() \g /dev/null
SELECT is((SELECT count(*) FROM vrm.call_dirty WHERE user_id = :'alice'), 0::bigint, 'all is compacted');
SELECT pg_temp.facts_read() AS before \gset
SELECT pg_temp.compare('from what is ready');
SELECT is(pg_temp.facts_read(), :before::bigint, 'of which no fact was read');

-- a quarter that has changed is read from the facts, and no other
SELECT pg_temp.facts_read() AS before \gset
UPDATE vrm.test_runs SET results = '{"duration": "59:59"}'
WHERE started_at >= '2026-03-08 07:15Z' AND started_at < '2026-03-08 07:30Z';
DELETE FROM vrm.test_runs WHERE started_at >= '2026-03-08 22:00Z' AND started_at < '2026-03-08 22:45Z';
SELECT results_eq($$SELECT DISTINCT quarter FROM vrm.call_dirty
                    WHERE user_id = (SELECT id FROM auth.users WHERE email = 'alice@example.org') ORDER BY 1$$,
                  '{29,88,89,90}'::integer[], 'quarters are marked, not days');
SELECT is(count(*), 0::bigint, 'some quarters have changed: exact')
FROM calendar c WHERE pg_temp.ready(c.edges, NULL) IS DISTINCT FROM pg_temp.direct(c.edges, NULL);
SELECT cmp_ok(pg_temp.facts_read() - :before, '<', 400::bigint, 'and few facts are read');
SELECT pg_temp.compact() \g /dev/null
SELECT is(count(*), 0::bigint, 'and when they are compacted')
FROM calendar c WHERE pg_temp.ready(c.edges, NULL) IS DISTINCT FROM pg_temp.direct(c.edges, NULL);
SELECT is((SELECT vrm.rollup(vrm.part_of_day(stats, 0, 40))::text FROM vrm.call_rollup
           WHERE user_id = :'alice' AND grain = 'parts' AND bucket = '2026-03-08'),
          (SELECT vrm.part_of_day(stats, 0, 40)::text FROM vrm.call_rollup
           WHERE user_id = :'alice' AND grain = 'user_parts' AND bucket = '2026-03-08'),
          'quarters of agents add up to those of their owner');
SELECT is((SELECT vrm.rollup_pieces(stats, CASE WHEN grain = 'parts' THEN 40 END,
                                    CASE WHEN grain = 'parts' THEN 96 END)::text
           FROM vrm.call_rollup
           WHERE user_id = :'alice'
             AND (grain, bucket) IN (('parts', '2026-03-08'), ('day', '2026-03-09'), ('day', '2026-03-10'))),
          (SELECT vrm.rollup(CASE WHEN grain = 'user_parts' THEN vrm.part_of_day(stats, 40, 96)
                                  ELSE stats::vrm.call_stats END)::text FROM vrm.call_rollup
           WHERE user_id = :'alice'
             AND (grain, bucket) IN (('user_parts', '2026-03-08'), ('user_day', '2026-03-09'),
                                     ('user_day', '2026-03-10'))),
          'parts and whole days are added up as they are stored');
SELECT is((SELECT vrm.rollup_pieces(NULL::bytea, 0, 40)::text), (SELECT vrm.rollup(NULL::vrm.call_stats)::text),
          'nothing is stored, nothing is added');

-- the series itself
SELECT is(pg_temp.of_alice(format($$SELECT string_agg(calls || '/' || bucket_until - bucket_since, ' '
                                                      ORDER BY bucket_since)
                                    FROM vrm.call_series(%L, %L, '1 day', %L)$$,
                                  edges[1], edges[cardinality(edges)], zone)),
          (SELECT string_agg((SELECT count(*) FROM vrm.test_runs r
                              WHERE r.user_id = :'alice' AND (r.started_at AT TIME ZONE zone)::date = d.day)
                             || '/' || d.length, ' ' ORDER BY d.day)
           FROM (SELECT (e AT TIME ZONE zone)::date AS day, n - e AS length
                 FROM unnest(edges, edges[2:]) AS b (e, n) WHERE n IS NOT NULL) AS d),
          name || ': a series has the days that there were')
FROM calendar ORDER BY name;

-- zones of before there was a rule were no quarters away from UTC: what juts out comes from the facts
UPDATE vrm.test_runs
SET started_at = started_at - interval '56 years', completed_at = completed_at - interval '56 years'
WHERE started_at BETWEEN '2026-03-05' AND '2026-03-12';
SELECT pg_temp.compact() \g /dev/null
SELECT ARRAY(SELECT l AT TIME ZONE 'Africa/Monrovia'
             FROM generate_series('1970-03-06'::timestamp, '1970-03-11', '1 day') AS l)::text AS edges \gset
SELECT is(pg_temp.ready(:'edges', NULL), pg_temp.direct(:'edges', NULL), 'a zone of 44 minutes and a half');

SELECT * FROM finish();
ROLLBACK;
