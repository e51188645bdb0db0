-- What is held is neither deleted nor changed nor emptied, whoever tries, in whatever table it is.
BEGIN;
SELECT plan(23);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice \gset
INSERT INTO vrm.test_runs (user_id, status, started_at, completed_at, results)
    VALUES (:'alice', 'completed', now() - interval '3 years', now() - interval '3 years',
            '{"customer": "c@example.org"}') RETURNING id AS ended \gset
INSERT INTO vrm.test_runs (user_id, status, started_at) VALUES (:'alice', 'running', '2026-01-15')
    RETURNING id AS live \gset
INSERT INTO vrm.call_recordings (user_id, run_id, object_key, bytes, sha256)
    VALUES (:'alice', :'ended', 'x', 1, sha256('')) RETURNING id AS sound \gset

CREATE FUNCTION pg_temp.refused(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN 'done';
EXCEPTION WHEN object_in_use THEN
    RETURN SQLERRM;
END
$$;

-- calls
SELECT vrm.place_hold('case 1', run_id => :'ended') AS hold \gset
SELECT is(pg_temp.as_role('service_role', NULL,
                          format($$UPDATE vrm.test_runs SET results = '{}' WHERE id = %L$$, :'ended')), '55006',
          'the service cannot empty a held call');
SELECT is(pg_temp.refused($$UPDATE vrm.test_runs SET started_at = started_at - interval '1 hour'
                          WHERE status = 'completed'$$),
          format('test run "%s" is under a legal hold', :'ended'), 'nor can anybody move it to another time');
SELECT is(pg_temp.refused('TRUNCATE vrm.test_runs CASCADE'), format('test run "%s" is under a legal hold', :'ended'),
          'its table cannot be emptied');
SELECT is(pg_temp.refused('TRUNCATE auth.users CASCADE'), format('test run "%s" is under a legal hold', :'ended'),
          'not with that of its owner either');

-- their recordings
SELECT is(pg_temp.refused('DELETE FROM vrm.call_recordings'), format('recording "%s" is under a legal hold', :'sound'),
          'its recording cannot be deleted');
SELECT is(pg_temp.refused(format('UPDATE vrm.call_recordings SET run_id = %L', :'live')),
          format('recording "%s" is under a legal hold', :'sound'),
          'nor moved to another call');
SELECT is(pg_temp.refused('TRUNCATE vrm.call_recordings'), format('test run "%s" is under a legal hold', :'ended'),
          'nor emptied');
SELECT vrm.release_hold(:hold) \g /dev/null
DELETE FROM vrm.call_recordings;

-- the archive
DELETE FROM vrm.test_runs WHERE id = :'ended';
INSERT INTO vrm.test_runs (user_id, status, started_at, completed_at)
    VALUES (:'alice', 'completed', now() - interval '3 years', now() - interval '3 years') RETURNING id AS ended \gset
SELECT vrm.archive_old_test_runs() \g /dev/null
SELECT vrm.place_hold('case 2', user_id => :'alice', until => now() - interval '1 year') AS hold \gset
SELECT is(pg_temp.refused('DELETE FROM vrm_private.test_runs_archive'),
          format('test run "%s" is under a legal hold', :'ended'), 'an archived call neither');
SELECT is(pg_temp.refused($$UPDATE vrm_private.test_runs_archive SET results = '{}'$$),
          format('test run "%s" is under a legal hold', :'ended'), 'nor changed');
SELECT is(pg_temp.refused('TRUNCATE vrm_private.test_runs_archive'),
          format('test run "%s" is under a legal hold', :'ended'), 'nor emptied');
SELECT is(vrm.restore_from_archive(ARRAY[:'ended']::uuid[]), 1::bigint, 'it can be given back');
SELECT is(pg_temp.refused(format('DELETE FROM vrm.test_runs WHERE id = %L', :'ended')),
          format('test run "%s" is under a legal hold', :'ended'), 'and stays');
SELECT vrm.release_hold(:hold) \g /dev/null

-- calls that are going on
SELECT vrm.place_hold('case 3', since => '2026-01-01', until => '2026-02-01') AS hold \gset
SELECT is(pg_temp.refused(format($$UPDATE vrm.test_runs SET started_at = '2026-03-01' WHERE id = %L$$, :'live')),
          format('test run "%s" is under a legal hold', :'live'), 'a call is not moved out of a hold on its time');
SELECT is(pg_temp.refused(format($$UPDATE vrm.test_runs SET started_at = '2026-01-20' WHERE id = %L$$, :'live')),
          'done', 'but within it');
SELECT is(pg_temp.refused(format($$UPDATE vrm.test_runs SET status = 'completed', completed_at = now(),
                                 results = '{}' WHERE id = %L$$, :'live')),
          'done', 'and goes on to its end');
SELECT is(pg_temp.refused(format($$UPDATE vrm.test_runs SET results = NULL WHERE id = %L$$, :'live')),
          format('test run "%s" is under a legal hold', :'live'),
          'from then on it stays as it is');
SELECT is(pg_temp.refused(format('UPDATE vrm.test_runs SET error = error WHERE id = %L', :'live')), 'done',
          'what changes nothing is no change');
SELECT vrm.release_hold(:hold) \g /dev/null
SELECT is(pg_temp.refused(format($$UPDATE vrm.test_runs SET results = NULL WHERE id = %L$$, :'live')), 'done',
          'until the hold is released');

-- each kind by an index, however many there are
INSERT INTO vrm_private.legal_holds (reason, user_id, agent_id, run_id, started)
SELECT 'many', CASE n % 4 WHEN 0 THEN gen_random_uuid() END, CASE n % 4 WHEN 1 THEN gen_random_uuid() END,
    CASE n % 4 WHEN 2 THEN gen_random_uuid() END,
       CASE n % 4 WHEN 3 THEN tstzrange('1999-01-01'::timestamptz + n * interval '1 s',
                                        '1999-01-01'::timestamptz + (n + 1) * interval '1 s') END
FROM generate_series(1, 4000) AS n;
ANALYZE vrm_private.legal_holds;
CREATE FUNCTION pg_temp.plan_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    line text;
    lines text := '';
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP
        lines := lines || line || E'\n';
    END LOOP;
    RETURN lines;
END
$$;
SELECT unalike(pg_temp.plan_of($$SELECT *
                               FROM vrm_private.holds_on('018f0000-0000-7000-8000-000000000001',
                                                         '018f0000-0000-7000-8000-000000000002',
                                                                  '018f0000-0000-7000-8000-000000000003', now())$$),
                                                                  '%Seq Scan%', 'holds on a call are found by indexes');
INSERT INTO vrm.test_runs (user_id, status, started_at, completed_at)
SELECT :'alice', 'completed', now() - interval '3 years', now() - interval '3 years' FROM generate_series(1, 5000);
ANALYZE vrm.test_runs;
DELETE FROM vrm_private.legal_holds;
ANALYZE vrm_private.legal_holds;  -- nobody looks again when there are some
SELECT vrm.place_hold('of another', user_id => '018f0000-0000-7000-8000-000000000001'),
       vrm.place_hold('of another', agent_id => '018f0000-0000-7000-8000-000000000002'),
       vrm.place_hold('of another', run_id => '018f0000-0000-7000-8000-000000000003') \g /dev/null
SELECT 'PREPARE due (text, timestamptz, timestamptz, boolean, oid, tid, tid) AS '
       || vrm_private.due_rows_query('calls.completed') \gexec
SELECT pg_temp.plan_of($$EXECUTE due('calls.completed', now() - interval '2 years', now(), false, NULL, '(0,0)',
                                       '(4294967294,65535)')$$) AS plan \gset
SELECT unalike(:'plan'::text, '%Function Scan on old_%', 'the planner sees through the rules');
SELECT is((SELECT string_agg(m[1], ' ' ORDER BY m[1])
           FROM regexp_matches(:'plan', 'Hash Cond: [^\n]* = h[_0-9]*\.([a-z]+)_id', 'g') AS m), 'agent run user',
          'and hashes each kind of hold, rather than hold it against every call');
SELECT is((SELECT count(*) FROM vrm_private.due_rows('calls.completed', now() - interval '2 years', now())),
          5001::bigint, 'none of which covers these');
SELECT throws_ok($$SELECT vrm.place_hold('case 2', since => '2026-01-01', until => '2026-01-01')$$, '22023',
                 'since must be before until', 'a hold on no time at all is an error');
SELECT * FROM finish();
ROLLBACK;
