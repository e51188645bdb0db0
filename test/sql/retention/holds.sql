-- Legal holds: what they name is not due, whoever asks and whatever its age; so is a call of which something
-- is not in its results yet.
BEGIN;
SELECT plan(11);
\ir ../include/people.sql
\ir ../include/old_calls.sql

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

SELECT * FROM finish();
ROLLBACK;
