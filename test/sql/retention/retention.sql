-- Retention: what is due, what is held, and who may say so.  The engine that commits is tested in
-- test/cluster/retention.
BEGIN;
SELECT plan(38);
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

-- holds ----------------------------------------------------------------------------------------------

SELECT min(id::text) AS one FROM vrm.test_runs WHERE user_id = :'alice'
    AND completed_at < now() - interval '2 years' \gset
SELECT vrm.place_hold('case 1', run_id => :'one') AS hold \gset
SELECT vrm.place_hold('case 2', user_id => :'bob', since => '2001-01-01', until => '2002-01-01') AS elsewhere \gset
SELECT is((SELECT due_rows || ' ' || held_rows FROM vrm.retention_preview('calls.completed')), '8 1',
          'a hold keeps what it names, and no more');
SELECT vrm.place_hold('case 3', user_id => :'bob') AS bobs_hold \gset
SELECT is((SELECT due_rows || ' ' || held_rows FROM vrm.retention_preview('calls.completed')), '6 3',
          'nor does one on a person');
SELECT vrm.release_hold(:bobs_hold) \g /dev/null
SELECT vrm.place_hold('case 4', agent_id => :'bobs_agent') AS bobs_hold \gset
SELECT is((SELECT due_rows || ' ' || held_rows FROM vrm.retention_preview('calls.completed')), '6 3',
          'nor one on an agent');
SELECT vrm.release_hold(:bobs_hold) \g /dev/null
SELECT is(pg_temp.as_user(:'alice', format('DELETE FROM vrm.test_runs WHERE id = %L', :'one')), '55006',
          'its owner cannot delete it either');
SELECT throws_ok(format('DELETE FROM auth.users WHERE id = %L', :'alice'), '55006', NULL,
                 'nor can the person be deleted');
SELECT throws_ok($$SELECT vrm.place_hold('why not')$$, '22023', NULL, 'a hold says what it holds');
SELECT throws_ok($$SELECT vrm.place_hold('', run_id => vrm.uuid7())$$, '22023', NULL, 'and why');

-- a recording that is still there keeps its call -------------------------------------------------------

INSERT INTO vrm.call_recordings (user_id, run_id, object_key, bytes, sha256)
    SELECT user_id, id, 'x', 1, sha256('') FROM vrm.test_runs WHERE user_id = :'bob' LIMIT 1;
SELECT is((SELECT due_rows || ' ' || held_rows FROM vrm.retention_preview('calls.completed')), '7 2',
          'so does a recording that is still there');
DELETE FROM vrm.call_recordings;
INSERT INTO vrm.transcript_turns (user_id, run_id, speaker, message, at) SELECT user_id, id, 'agent', 'x',
    '0' FROM vrm.test_runs WHERE user_id = :'bob' LIMIT 1;
SELECT is((SELECT due_rows || ' ' || held_rows FROM vrm.retention_preview('calls.completed')), '7 2',
          'or a turn that is not in its results');
DELETE FROM vrm.transcript_turns;
INSERT INTO vrm.run_actions (user_id, run_id, action, status, at) SELECT user_id, id, 'x', 'success',
    '0' FROM vrm.test_runs WHERE user_id = :'bob' LIMIT 1;
SELECT is((SELECT due_rows || ' ' || held_rows FROM vrm.retention_preview('calls.completed')), '7 2', 'or an action');
DELETE FROM vrm.run_actions;
SELECT vrm.release_hold(:hold), vrm.release_hold(:elsewhere) \g /dev/null
SELECT throws_ok(format('SELECT vrm.release_hold(%s)', :hold), 'P0002', NULL, 'a hold is released once');

-- statistics ---------------------------------------------------------------------------------------------

SELECT count(*) AS facts, count(*) FILTER (WHERE started_at < date_trunc('month', now() - interval '2 years', 'UTC'))
    AS old_facts
FROM vrm.call_facts \gset
SELECT is((SELECT due_rows FROM vrm.retention_preview('analytics.facts')), :old_facts::bigint,
          'old facts of calls are due by the month');
SELECT vrm.place_hold('case 5', user_id => :'alice') AS hold,
       vrm.place_hold('case 6', user_id => :'bob') AS bobs_hold \gset
SELECT is((SELECT due_rows || ' ' || held_rows FROM vrm.retention_preview('analytics.facts')), '0 ' || :old_facts,
          'unless held');
SELECT vrm.release_hold(:hold), vrm.release_hold(:bobs_hold) \g /dev/null
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
