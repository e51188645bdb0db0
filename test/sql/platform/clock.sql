-- A clock that jumps ahead: what would be deleted for its age stays, until somebody says that the clock is right.
BEGIN;
SELECT plan(13);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice \gset
INSERT INTO vrm.test_runs (user_id, status, started_at, completed_at)
    VALUES (:'alice', 'failed', '2020-01-01', '2020-01-01');
SELECT is(vrm_private.clock_problem(), NULL, 'a database at work believes its clock');
UPDATE vrm_private.clock SET seen_at = now() - interval '1900 days';
SELECT matches(vrm_private.clock_problem(), '^now\(\) is 1900 days.* ahead of', 'not one that has jumped years ahead');
SELECT throws_ok('SELECT vrm.archive_old_test_runs()', '55000', NULL, 'nothing is due then');
SELECT vrm_private.see_clock() \g /dev/null
SELECT is((SELECT seen_at FROM vrm_private.clock), now() - interval '1900 days',
          'and looking at it does not make it right');
SELECT is((SELECT status FROM vrm.doctor() WHERE check_name = 'maintenance'
           AND fix_sql LIKE 'SET vrm.max_clock_step%'), 'fail', 'the doctor says so');
CREATE FUNCTION pg_temp.trail() RETURNS bigint
    LANGUAGE sql AS $$SELECT count(*) FROM pg_inherits WHERE inhparent = 'vrm_private.audit_data'::regclass$$;
SELECT vrm_private.make_partition('vrm_private.audit_data', 'audit_data_2020_01_01', '2020-01-01', '2020-01-02')
    \g /dev/null
SELECT pg_temp.trail() AS before, vrm.audit_maintain() AS dropped \gset
SELECT ok(:dropped = 0 AND to_regclass('vrm_private.audit_data_2020_01_01') IS NOT NULL, 'the trail keeps what it has');
SET LOCAL vrm.max_clock_step = '2000d';
SELECT is(vrm_private.clock_problem(), NULL, 'a step that is allowed is believed');
RESET vrm.max_clock_step;
SELECT isnt(vrm_private.clock_problem(), NULL, 'as long as it is');
SET LOCAL vrm.max_clock_step = -1;
SELECT is(vrm.archive_old_test_runs(), 1::bigint, 'whoever says that the clock is right has it believed');
RESET vrm.max_clock_step;
SELECT is(vrm_private.clock_problem(), NULL, 'from then on');
SELECT ok(vrm.audit_maintain() > 0, 'and the trail lets go again');
UPDATE vrm_private.clock SET seen_at = now() - interval '6 days';
SELECT is(vrm_private.clock_problem(), NULL, 'a week without anybody at work is believed');
SELECT is(pg_temp.as_role('service_role', NULL, 'SET vrm.max_clock_step = -1'), '42501', 'the service cannot say so');
SELECT * FROM finish();
ROLLBACK;
