-- Retention policies: how long what is kept, and what a run would do.  The engine that commits is tested in
-- test/cluster/retention.
BEGIN;
SELECT plan(27);
\ir ../include/people.sql
\ir ../include/old_calls.sql

-- policies ---------------------------------------------------------------------------------------

SELECT is((SELECT string_agg(name || ' ' || coalesce(keep::text, 'for ever'), ', ' ORDER BY name)
           FROM vrm.retention_policies
           WHERE name LIKE 'calls.%'),
          'calls.active for ever, calls.completed 2 years, calls.failed 1 year',
          'the periods are the source document''s');
SELECT throws_ok($$UPDATE vrm.retention_policies SET keep = '1 day' WHERE name = 'calls.completed'$$, '23514', NULL,
                 'nobody goes below the floor');
SELECT is(pg_temp.as_role('service_role', NULL, $$UPDATE vrm.retention_policies SET min_keep = '0'$$), '42501',
          'nor lowers it');
SELECT is(pg_temp.as_role('service_role', NULL,
                          $$UPDATE vrm.retention_policies SET keep = '3 years' WHERE name = 'calls.completed'
                          RETURNING 'done'$$),
          'done', 'the service may change a period');
UPDATE vrm.retention_policies SET keep = '2 years' WHERE name = 'calls.completed';
SELECT is((SELECT string_agg(target || ' ' || no_policy || ' ' || several_policies, ', ') FROM vrm.retention_coverage()
           WHERE target = 'vrm.test_runs'),
          'vrm.test_runs 0 0', 'every call matches exactly one policy');
UPDATE vrm.retention_policies SET enabled = false WHERE name = 'calls.active';
SELECT is((SELECT no_policy FROM vrm.retention_coverage() WHERE target = 'vrm.test_runs'), 1::bigint,
          'what no enabled policy is about is found');
UPDATE vrm.retention_policies SET enabled = true WHERE name = 'calls.active';
SET LOCAL timezone = 'Europe/Berlin';
SELECT is(vrm_private.retention_cutoff('6 months', '2026-08-15 12:00+00'), '2026-02-15 12:00+00'::timestamptz,
          'a cutoff is reckoned in UTC');
SELECT isnt('2026-08-15 12:00+00'::timestamptz - interval '6 months', '2026-02-15 12:00+00'::timestamptz,
            'which is not what the session would reckon');
RESET timezone;

-- preview ------------------------------------------------------------------------------------------

SELECT is((SELECT string_agg(concat_ws(' ', policy_name, due_rows, held_rows, plan), ', ' ORDER BY policy_name)
           FROM vrm.retention_preview() WHERE policy_name LIKE 'calls.%'),
          'calls.active 0 0 keep for ever, calls.completed 9 0 move to vrm_private.test_runs_archive, '
          'calls.failed 6 0 move to vrm_private.test_runs_archive', 'preview tells what is due');
SELECT is((SELECT oldest FROM vrm.retention_preview('calls.completed')),
          (SELECT min(completed_at) FROM vrm.test_runs WHERE status = 'completed'),
          'and since when');
SELECT is((SELECT due_bytes FROM vrm.retention_preview('calls.failed')),
          (SELECT sum(100 + coalesce(pg_column_size(results), 0) + coalesce(pg_column_size(error), 0))
           FROM vrm.test_runs
           WHERE status IN ('failed', 'cancelled') AND completed_at < now() - interval '1 year')::bigint, 'how much');
UPDATE vrm.retention_policies SET enabled = false WHERE name = 'calls.failed';
SELECT is((SELECT concat_ws(' ', due_rows, due_bytes, held_rows, plan) FROM vrm.retention_preview('calls.failed')),
          '0 0 0 nothing, disabled',
          'and that no run takes it while the policy is disabled');
SELECT is((vrm_private.begin_retention_run('calls.failed')).run_id, NULL, 'which is so');
UPDATE vrm.retention_policies SET enabled = true WHERE name = 'calls.failed';
SELECT throws_ok($$SELECT vrm.retention_preview('calls')$$, '42704', 'retention policy "calls" does not exist',
                 'a policy has to exist');

-- statistics ---------------------------------------------------------------------------------------------

DELETE FROM auth.users WHERE id = :'bob';
SELECT count(*) AS facts, count(*) FILTER (WHERE started_at < date_trunc('month', now() - interval '2 years', 'UTC'))
    AS old_facts
FROM vrm.call_facts \gset
SELECT is((SELECT due_rows FROM vrm.retention_preview('analytics.facts')), :old_facts::bigint,
          'old facts of calls are due by the month');
SELECT vrm.place_hold('case 5', user_id => :'alice') AS hold \gset
SELECT is((SELECT due_rows || ' ' || held_rows FROM vrm.retention_preview('analytics.facts')), '0 ' || :old_facts,
          'unless held');
SELECT vrm.release_hold(:hold) \g /dev/null
SELECT is(vrm.retention_step((vrm_private.begin_retention_run('analytics.facts')).run_id, 0, 1000, 100000),
          :old_facts::bigint, 'and go');

-- who may ----------------------------------------------------------------------------------------------

SELECT is(pg_temp.as_user(:'alice', statement), '42501', 'users cannot: ' || statement)
FROM unnest(ARRAY['SELECT vrm.retention_preview()', 'SELECT vrm.archive_old_test_runs()',
                  'SELECT vrm.verify_archive()', 'CALL vrm.run_retention()',
                  'SELECT vrm.restore_from_archive(''{}'')', 'SELECT vrm.place_hold(''x'', user_id => vrm.uid())',
                  'SELECT vrm.retention_step(1, 0, 0, 1)',
                  'SELECT count(*) FROM vrm.retention_runs', 'SELECT count(*) FROM vrm.retention_policies'])
                  AS statement;
SELECT is(pg_temp.as_role('service_role', NULL, 'SELECT vrm.retention_step(1, 0, 0, 1)'), '42501',
          'steps are for the engine alone');

SELECT * FROM finish();
ROLLBACK;
