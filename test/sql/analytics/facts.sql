-- Facts and the statistics made of them in advance: whatever happens to calls, readers see exactly
-- what direct aggregation over the calls sees, compacted or not.
BEGIN;
SELECT plan(82);
\ir ../include/people.sql
\ir ../include/generated_calls.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob \gset
SELECT pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('reception')$$) AS agent,
       pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('sales')$$) AS second_agent,
       pg_temp.as_user(:'bob', $$SELECT vrm.create_agent('other')$$) AS bobs_agent \gset
CREATE FUNCTION pg_temp.of_alice(query text) RETURNS text LANGUAGE sql AS
    $$ SELECT pg_temp.as_user((SELECT id FROM auth.users WHERE email = 'alice@example.org'), query) $$;

-- 3,000 calls of three months in 2026, some without an agent; some of Bob
INSERT INTO vrm.test_runs (user_id, agent_id, status, started_at, completed_at, results)
SELECT CASE WHEN n % 10 = 0 THEN :'bob' ELSE :'alice' END::uuid,
       CASE WHEN n % 10 = 0 THEN :'bobs_agent' WHEN n % 10 = 1 THEN NULL WHEN n % 3 = 0 THEN :'agent'
           ELSE :'second_agent' END::uuid,
       status, started_at + n * interval '30 minutes', completed_at + n * interval '30 minutes',
       CASE WHEN status <> 'running' THEN results END
FROM generated_calls WHERE n <= 3000;
-- and some at the very moment when a span begins or ends
INSERT INTO vrm.test_runs (user_id, agent_id, status, started_at, completed_at)
SELECT :'alice', :'agent', status, at, CASE WHEN status = 'completed' THEN at + interval '1 minute' END
FROM unnest(ARRAY['running', 'completed']) AS status,
    unnest('{2026-01-20 00:00Z,2026-02-04 02:00Z,2026-02-04 05:00Z,2026-02-10 12:00Z,2026-02-15 00:00Z,2026-03-03 '
           '07:30Z}'::timestamptz[]) AS at;
CREATE TABLE span AS SELECT * FROM (VALUES
    ('-infinity'::timestamptz, 'infinity'::timestamptz), ('2026-01-01 00:00Z', '2026-04-01 00:00Z'),
    ('2026-01-10 05:00Z', '2026-03-03 07:30Z'),
    ('2026-02-01 00:00Z', '2026-03-01 00:00Z'), ('2026-02-03 10:00Z', '2026-02-03 11:00Z'),
    ('2026-02-03 22:00Z', '2026-02-04 02:00Z'),
    ('2026-02-03 00:00Z', '2026-02-04 00:00Z'), ('2026-01-31 23:59:59.999999Z', '2026-03-01 00:00:00.000001Z'),
    ('2026-01-15 00:00Z', '2026-01-20 00:00Z'),
    ('-infinity', '2026-02-10 12:00Z'), ('2026-02-10 12:00Z', 'infinity'), ('2030-01-01', '2031-01-01'),
    ('2026-03-01', '2026-01-01')) AS t (since, until);
CREATE TABLE edge AS SELECT ARRAY(SELECT generate_series(since::timestamptz, until, bucket)) AS edges FROM (VALUES
    ('2026-01-01 00:00Z', '2026-04-01 00:00Z'::timestamptz, '1 day'::interval),
    ('2026-01-01 00:00+05:30', '2026-03-04 00:00+05:30', '1 day'),
    ('2026-01-05 12:00Z', '2026-03-30 00:00Z', '36 hours'),
    ('2026-01-31 00:00Z', '2026-02-04 05:00Z', '1 hour'), ('2026-01-03 05:17Z', '2026-03-25 05:17Z', '9 days'))
    AS t (since, until, bucket)
    UNION ALL SELECT
        '{"2026-01-10 00:00Z","2026-01-10 00:00Z","2026-01-10 07:00Z","2026-02-15 00:00Z","2026-02-15 00:00Z"}'
        UNION ALL SELECT '{}';
GRANT SELECT ON span, edge TO authenticated;

-- Times, and series of them, in which the statistics differ by a byte from those of the calls themselves.
CREATE FUNCTION pg_temp.differences() RETURNS bigint LANGUAGE sql AS $$
    WITH asked AS (
        SELECT ids FROM unnest(ARRAY[NULL, 'reception', 'sales']) AS name,
        LATERAL (SELECT (SELECT ARRAY[id] FROM vrm.agents WHERE agent_id = name) AS ids) AS a
    ), alices AS (
        SELECT * FROM vrm.test_runs r WHERE user_id = (SELECT id FROM auth.users WHERE email LIKE 'alice%')
    )
    SELECT (SELECT count(*) FROM span, asked,
                LATERAL (SELECT vrm.call_stats(status, started_at, completed_at, results)::text AS direct FROM alices
                         WHERE started_at >= since AND started_at < until AND (ids IS NULL OR agent_id = ANY (ids)))
                         AS d
            WHERE direct
                IS DISTINCT FROM pg_temp.of_alice(format('SELECT vrm.call_statistics(%L, %L, %L)', since, until, ids)))
         + (SELECT count(*) FROM edge, (SELECT ids FROM asked LIMIT 2) AS asked,
                LATERAL (SELECT string_agg(n || stats::text, ' ' ORDER BY n) AS direct
                         FROM (SELECT width_bucket(started_at, edges) AS n,
                               vrm.call_stats(status, started_at, completed_at, results) AS stats FROM alices
                               WHERE started_at >= edges[1] AND started_at < edges[cardinality(edges)]
                               AND (ids IS NULL OR agent_id = ANY (ids)) GROUP BY 1) AS b) AS d
            WHERE direct IS DISTINCT FROM pg_temp.of_alice(format('SELECT string_agg(n || stats::text, '' '' ORDER BY n)
                      FROM (SELECT bucket AS n, vrm.rollup(stats) AS stats
                            FROM vrm.statistics_by_bucket(%L, %L) GROUP BY 1) AS b', edges, ids)))
$$;
SELECT is((SELECT count(*) FROM vrm.call_facts), (SELECT count(*) FROM vrm.test_runs WHERE completed_at IS NOT NULL),
          'one fact for each call that has ended');
SELECT is(pg_temp.differences(), 0::bigint, 'nothing compacted: exact');
SELECT is(vrm_private.compact_calls(5) > 0, true, 'some days are compacted');
SELECT cmp_ok((SELECT count(*) FROM vrm.call_dirty), '>', 0::bigint, 'not all');
SELECT is(pg_temp.differences(), 0::bigint, 'half compacted: exact');
SELECT is((SELECT sum(vrm_private.compact_calls(100000)) FROM generate_series(1, 2)) > 0, true,
          'the rest is compacted');
SELECT is((SELECT count(*) FROM vrm.call_dirty), 0::bigint, 'no day is marked');
SELECT is(vrm_private.compact_calls(), 0::bigint, 'there is nothing left to do');
SELECT is(pg_temp.differences(), 0::bigint, 'all compacted: exact');

-- a tenant with 3,000 calls in 100 days, of which 10 have changed, three times each
SELECT pg_temp.person('busy@example.org') AS busy \gset
SAVEPOINT few;
INSERT INTO vrm.call_facts (user_id, id, started_at, status, duration_ms)
    SELECT :'busy', gen_random_uuid(), '2026-01-01 00:00+00'::timestamptz + i * interval '48 min', 'completed', 60000
    FROM generate_series(0, 2999) AS i;
INSERT INTO vrm.call_dirty (user_id, day)
    SELECT :'busy', '2026-01-11'::date + d FROM generate_series(0, 9) AS d, generate_series(1, 3);
ANALYZE vrm.call_facts;
CREATE FUNCTION pg_temp.facts_read() RETURNS bigint LANGUAGE sql AS $$
    SELECT pg_stat_get_xact_tuples_returned('vrm.call_facts'::regclass)
           + (SELECT sum(pg_stat_get_xact_tuples_returned(i.indexrelid))::bigint FROM pg_index i
              WHERE i.indrelid = 'vrm.call_facts'::regclass) $$;
SELECT pg_temp.facts_read() AS before \gset
SELECT is(vrm_private.compact_calls(4), 4::bigint, 'days are taken, not marks');
SELECT is((SELECT count(*) FROM vrm.call_dirty), 18::bigint, 'with all marks of each');
SELECT vrm_private.compact_calls() \g /dev/null
SELECT cmp_ok(pg_temp.facts_read() - :before, '<=', 600::bigint, 'and only their own facts are read');
ROLLBACK TO few;
SELECT is((SELECT count(DISTINCT bucket) FROM vrm.call_rollup WHERE grain = 'month'), 3::bigint, 'months are there');
SELECT is((SELECT vrm.rollup(stats::vrm.call_stats)::text FROM vrm.call_rollup WHERE grain = 'month'),
          (SELECT vrm.rollup(stats::vrm.call_stats)::text FROM vrm.call_rollup WHERE grain = 'day'),
          'and hold what days hold');
SELECT is((SELECT vrm.rollup(stats::vrm.call_stats)::text FROM vrm.call_rollup WHERE grain = 'user_month'),
          (SELECT vrm.rollup(stats::vrm.call_stats)::text FROM vrm.call_rollup WHERE grain = 'day'),
          'so do those of all agents');

-- for users with many calls: policies keep no index from being used, and no plan reads all facts
\ir ../include/plans.sql
SET LOCAL enable_seqscan = off;
SELECT matches(pg_temp.of_alice(format('SELECT pg_temp.plan_of(%L)', query)), condition,
               'the index does it: ' || condition)
FROM (VALUES
      ('SELECT * FROM vrm.call_rollup WHERE user_id = vrm.uid() AND grain = ''month'' AND bucket >= ''2026-01-01''',
       'Index Cond: .*grain .*bucket'),
             ('SELECT * FROM vrm.call_facts WHERE user_id = vrm.uid() AND started_at >= ''2026-01-01''',
              'Index Cond: .*started_at')) AS q (query, condition);
SET LOCAL enable_seqscan = on;
ANALYZE vrm.call_facts;
CREATE FUNCTION pg_temp.facts_read() RETURNS bigint LANGUAGE sql AS
    $$ SELECT sum(pg_stat_get_xact_tuples_returned(r::regclass))
        FROM unnest(ARRAY['vrm.call_facts', 'vrm.call_facts_user_time', 'vrm.call_facts_pkey']) AS r $$;
SAVEPOINT unmarked;
CREATE TEMP TABLE reader AS SELECT * FROM (VALUES
    ('vrm.call_statistics()',
     'SELECT vrm.call_count(vrm.call_statistics(''2026-01-10 05:00Z'', ''2026-03-03 07:30Z''))'),
    ('vrm.call_series()',
     'SELECT sum(calls) FROM vrm.call_series(''2026-01-10 05:00Z'', ''2026-03-03 07:30Z'', ''1 day'')'))
     AS t (name, query);
CREATE FUNCTION pg_temp.reads(query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    before bigint := pg_temp.facts_read();
BEGIN
    ASSERT pg_temp.of_alice(query)::bigint > 1000, 'too few calls';
    RETURN pg_temp.facts_read() - before;
END
$$;
SELECT cmp_ok(pg_temp.reads(query), '<', 200::bigint, name || ' reads few facts') FROM reader;
-- the planner expects of each of many days that a ninth of all facts are of it, unless it has to look them up
INSERT INTO vrm.call_dirty (user_id, day) SELECT :'alice', '2026-01-11'::date + 2 * n FROM generate_series(0, 19) AS n;
SET LOCAL random_page_cost = 20;
SET LOCAL enable_seqscan = off;
SELECT cmp_ok(pg_temp.reads(query), '<', 1000::bigint, name || ' reads no more than those of days that have changed')
    FROM reader;
ROLLBACK TO unmarked;

-- whatever happens to calls ------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.after(event text, change text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE change;
    RETURN NEXT is(pg_temp.differences(), 0::bigint, event || ': exact at once');
    PERFORM vrm_private.compact_calls();
    RETURN NEXT is(pg_temp.differences(), 0::bigint, 'and when compacted');
END
$$;
SELECT pg_temp.after('results change',
                     $$UPDATE vrm.test_runs SET results = '{"duration": "9:59", "sentiment": "negative"}'
                     WHERE completed_at IS NOT NULL AND started_at BETWEEN '2026-02-02' AND '2026-02-05'$$);
SELECT pg_temp.after('calls move to another day',
                     $$UPDATE vrm.test_runs SET started_at = started_at - interval '9 days'
                     WHERE started_at BETWEEN '2026-02-12' AND '2026-02-13'$$);
SELECT pg_temp.after('to another agent',
                     $$UPDATE vrm.test_runs SET agent_id = NULL WHERE started_at BETWEEN '2026-01-12'
                     AND '2026-01-13'$$);
SELECT pg_temp.after('to another id',
                     $$UPDATE vrm.test_runs SET id = vrm.uuid7() WHERE started_at BETWEEN '2026-01-14'
                     AND '2026-01-15'$$);
SELECT pg_temp.after('live calls end',
                     $$UPDATE vrm.test_runs SET status = 'completed',
                     completed_at = started_at + interval '77.5 seconds'
                       WHERE status = 'running' AND started_at < '2026-02-01'$$);
SELECT pg_temp.after('calls are deleted',
                     $$DELETE FROM vrm.test_runs WHERE started_at BETWEEN '2026-02-20' AND '2026-03-01'$$);
SELECT pg_temp.after('a whole month is deleted', $$DELETE FROM vrm.test_runs WHERE started_at >= '2026-03-01'$$);
SELECT pg_temp.after('a change of nothing that counts', $$UPDATE vrm.test_runs SET time_limit = 61$$);
SELECT is((SELECT count(*) FROM vrm.call_rollup WHERE bucket >= '2026-03-01'), 0::bigint,
          'days without calls leave no statistics');
SAVEPOINT before;
DELETE FROM vrm.test_runs;
ROLLBACK TO before;
SELECT is(pg_temp.differences(), 0::bigint, 'a rollback takes the marks along');
UPDATE vrm.test_runs SET time_limit = 62;
SELECT is((SELECT count(*) FROM vrm.call_dirty), 0::bigint, 'what does not count marks no day');
INSERT INTO vrm.test_runs (user_id, status, started_at, completed_at)
    VALUES (:'alice', 'completed', '-infinity', 'infinity'), (:'alice', 'failed', '-infinity', now());
SELECT is((SELECT count(*) FROM vrm.call_facts WHERE NOT isfinite(started_at)), 0::bigint,
          'a call at the end of time is no fact');
DELETE FROM vrm.test_runs WHERE NOT isfinite(started_at);
INSERT INTO vrm.test_runs (user_id, status, started_at, completed_at)
    VALUES (:'alice', 'completed', '294276-12-01', '294276-12-02'), (:'alice', 'completed', '4713-01-01 BC', now());
SELECT lives_ok('SELECT vrm_private.compact_calls()', 'nor one of the last years, whose statistics nobody could make');
DELETE FROM vrm.test_runs WHERE started_at > '9999-01-01' OR started_at < '0001-01-01';

-- rebuilding ----------------------------------------------------------------------------------------------

SELECT is(vrm_private.rebuild_facts(), 0::bigint, 'rebuilding facts finds nothing amiss');
SELECT is_empty('SELECT * FROM vrm_private.doctor_facts(NULL)', 'nor does the doctor');
SET LOCAL session_replication_role = replica;
INSERT INTO vrm.test_runs (user_id, status, started_at, completed_at)
    SELECT :'alice', status, '2026-01-20 10:00Z', '2026-01-20 11:00Z'
    FROM unnest('{completed,failed}'::text[]) AS status;
INSERT INTO vrm.test_runs (user_id, status, started_at) VALUES (:'alice', 'running', '2026-01-20 10:00Z');
SET LOCAL session_replication_role = origin;
SELECT is(detail, format('statistics do not know 3 of %s calls that were looked at',
                         (SELECT count(*) FROM vrm.test_runs)), 'calls of a load without triggers are found')
FROM vrm.doctor() WHERE check_name = 'facts';
SELECT fix_sql FROM vrm_private.doctor_facts(NULL) \gset
:fix_sql \g /dev/null
SELECT is_empty('SELECT * FROM vrm_private.doctor_facts(NULL)', 'and put right by one statement');
SELECT is(pg_temp.differences(), 0::bigint, 'and all is exact');
SELECT c.id AS tested FROM vrm.test_cases c WHERE c.user_id = :'alice' LIMIT 1 \gset
SET LOCAL session_replication_role = replica;
UPDATE vrm.test_runs SET status = 'failed' WHERE status = 'completed' AND started_at = '2026-01-20 10:00Z';
\set changed :ROW_COUNT
DELETE FROM vrm.test_runs WHERE status = 'running' AND started_at = '2026-01-20 10:00Z';
INSERT INTO vrm.test_runs (user_id, status, started_at, completed_at, test_case_ids, results)
VALUES (:'alice', 'failed', '2026-01-20 10:30Z', '2026-01-20 11:00Z', jsonb_build_array(:'tested'),
        '{"transcript": [{"speaker": "Agent", "message": "unheard"}]}') RETURNING id AS loaded \gset
SET LOCAL session_replication_role = origin;
SELECT is((SELECT string_agg(detail, ', ' ORDER BY detail) FROM vrm_private.doctor_facts(NULL)),
          format('1 calls count as live that are not, statistics do not know %s of %s calls that were looked at',
                 :changed + 1, (SELECT count(*) FROM vrm.test_runs)), 'changes past the triggers are found as well');
SELECT DISTINCT fix_sql FROM vrm_private.doctor_facts(NULL) \gset
:fix_sql \g /dev/null
SELECT is_empty('SELECT * FROM vrm_private.doctor_facts(NULL)', 'and put right');
SELECT is(pg_temp.differences(), 0::bigint, 'exactly');
SELECT is((SELECT case_id FROM vrm.test_run_cases WHERE run_id = :'loaded'), :'tested'::uuid,
          'its test cases are linked');
SELECT is((SELECT count(*) FROM vrm_private.search_queue WHERE run_id = :'loaded'), 1::bigint,
          'what was said will be found');
SET LOCAL session_replication_role = replica;
INSERT INTO vrm_private.call_words (user_id, run_id, config, words) VALUES (:'alice', :'loaded', 'simple', '');
DELETE FROM vrm.test_runs WHERE id = :'loaded';
SET LOCAL session_replication_role = origin;
SELECT is((SELECT detail FROM vrm_private.doctor_facts(NULL)),
          format('statistics count 1 of %s calls that were looked at and are gone',
                 (SELECT count(*) FROM vrm.call_facts)),
          'calls that were deleted past the triggers are found');
SELECT fix_sql FROM vrm_private.doctor_facts(NULL) \gset
:fix_sql \g /dev/null
SELECT is_empty('SELECT * FROM vrm_private.doctor_facts(NULL)', 'and counted no longer');
SELECT is(pg_temp.differences(), 0::bigint, 'exactly');
SELECT is_empty(format('SELECT FROM vrm_private.call_words WHERE run_id = %L', :'loaded'), 'nor found by their words');
SAVEPOINT archived;
INSERT INTO vrm.test_runs (user_id, status, started_at, completed_at)
VALUES (:'alice', 'completed', now() - interval '4 years', now() - interval '4 years' + interval '1 minute')
RETURNING id AS old \gset
SELECT vrm.archive_old_test_runs() > 0 AS has_moved, vrm_private.make_up_for_triggers() AS amiss \gset
SELECT count(*) AS kept FROM vrm.call_facts WHERE id = :'old' \gset
UPDATE vrm_private.archive_manifest SET purged_at = now();
DELETE FROM vrm_private.test_runs_archive;
SELECT vrm_private.make_up_for_triggers() AS amiss_then \gset
SELECT count(*) AS kept_then FROM vrm.call_facts WHERE id = :'old' \gset
ROLLBACK TO archived;
SELECT is(ARRAY[:'has_moved', :'amiss', :'kept', :'amiss_then', :'kept_then'], '{t,0,1,0,1}'::text[],
          'those of archived calls stay, also when the archive has let the calls go');
ALTER TABLE vrm.test_runs DISABLE TRIGGER record_facts;
UPDATE vrm.test_runs SET results = '{"duration": "0:01"}' WHERE completed_at IS NOT NULL
    AND started_at BETWEEN '2026-01-05' AND '2026-01-07';
INSERT INTO vrm.test_runs (user_id, status, started_at, completed_at)
    VALUES (:'alice', 'failed', '2026-01-20', '2026-01-21');
ALTER TABLE vrm.test_runs ENABLE TRIGGER record_facts;
SELECT cmp_ok(pg_temp.differences(), '>', 0::bigint, 'without the trigger statistics are wrong');
SELECT cmp_ok(vrm_private.rebuild_facts(), '>', 1::bigint, 'rebuilding facts repairs them');
SELECT is(pg_temp.differences(), 0::bigint, 'exact again');
UPDATE vrm.call_rollup SET stats = nothing FROM (SELECT vrm.rollup(NULL)::bytea) AS none (nothing) WHERE grain = 'day';
SELECT cmp_ok(vrm_private.rebuild_rollups(), '>', 10::bigint, 'so does rebuilding statistics');
SELECT is(pg_temp.differences(), 0::bigint, 'exact, from the facts');
SELECT cmp_ok(vrm_private.compact_calls(), '>', 10::bigint, 'all days are made anew');
SELECT is(pg_temp.differences(), 0::bigint, 'exact, from statistics');
DROP TRIGGER record_facts ON vrm.test_runs;
DELETE FROM vrm.call_facts;
SELECT vrm.install() \g /dev/null
SELECT is(pg_temp.differences(), 0::bigint, 'vrm.install() brings back the trigger and what it has missed');

-- how long they are kept is a policy of their own ---------------------------------------------------------

INSERT INTO vrm.call_rollup (user_id, grain, bucket, agent_id, stats)
    SELECT user_id, grain, bucket - interval '10 years', agent_id, stats FROM vrm.call_rollup;
INSERT INTO vrm.call_rollup (user_id, grain, bucket, agent_id, stats)
    SELECT :'alice', 'day', date_trunc('month', now() - interval '2 years', 'UTC') AT TIME ZONE 'UTC', id,
        vrm.rollup(NULL)::bytea
    FROM vrm.agents WHERE agent_id = 'reception' GROUP BY id;
SELECT count(*) AS rollups, count(*) FILTER (WHERE bucket < date_trunc('month', now() - interval '2 years', 'UTC'))
    AS old FROM vrm.call_rollup \gset
SELECT cmp_ok(:old, '>', 50, 'old statistics');
SELECT is(vrm.retention_step((vrm_private.begin_retention_run('analytics.rollups')).run_id, 0, 1000, 100000),
          :old::bigint, 'go by the month, whatever they span');
SELECT is((SELECT count(*) FROM vrm.call_rollup), (:rollups - :old)::bigint, 'and no others');

-- whose are they --------------------------------------------------------------------------------------------

SELECT is(pg_temp.as_user(:'bob', format('SELECT count(*) FROM %s WHERE user_id <> vrm.uid()', relation)), '0',
          'nobody sees others in ' || relation)
FROM unnest(ARRAY['vrm.call_facts', 'vrm.call_dirty', 'vrm.call_rollup']) AS relation;
SELECT is(pg_temp.as_user(NULL, 'SELECT vrm.call_count(vrm.call_statistics())'), '28000', 'nobody has no calls');
SELECT is(pg_temp.as_user(:'bob',
                          format('SELECT vrm.call_count(vrm.call_statistics(agents => ARRAY[%L]::uuid[]))', :'agent')),
          '0', 'others'' agents have none for Bob');
SELECT is(pg_temp.as_user(:'alice', statement), '42501', 'authenticated: ' || statement)
FROM unnest(ARRAY['DELETE FROM vrm.call_facts', 'UPDATE vrm.call_rollup SET stats = NULL',
                  'INSERT INTO vrm.call_dirty (user_id, day) VALUES (vrm.uid(), now())',
                  'SELECT vrm_private.compact_calls()', 'SELECT vrm_private.rebuild_facts()', 'CALL vrm.maintain()',
                  'SELECT vrm.record_facts()']) AS statement;
DELETE FROM auth.users WHERE id = :'alice';
SELECT is((SELECT count(*) FROM vrm.call_facts WHERE user_id = :'alice') + (SELECT count(*) FROM vrm.call_rollup
    WHERE user_id = :'alice'), 0::bigint,
          'with a user go facts and statistics');
SELECT lives_ok('SELECT vrm_private.compact_calls()', 'and the marks that stay harm nobody');

SELECT * FROM finish();
ROLLBACK;
