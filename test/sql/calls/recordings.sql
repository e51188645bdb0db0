-- Recordings: however a row goes, its object is handed to the object store's client until that confirms.
BEGIN;
SELECT plan(22);
\ir ../include/people.sql
\ir ../include/secrets.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob \gset

-- registered, with a key of its own

SELECT pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('sales')$$) AS agent \gset
SELECT pg_temp.as_user(:'alice', format('SELECT vrm.start_test_run(%L)', :'agent')) AS registered_run \gset
SELECT pg_temp.as_user(:'alice', format($$SELECT vrm.register_recording(%L, 'recordings/1.ogg', 48213, sha256('sound'))$$,
                                        :'registered_run')) AS recording \gset
SELECT is(length(pg_temp.as_user(:'alice', format($$SELECT encode(vrm.recording_key(%L), 'hex')$$, :'recording'))), 64, 'a recording has a key of 32 bytes');
SELECT is(pg_temp.as_user(:'bob', format('SELECT vrm.recording_key(%L)', :'recording')), 'P0002', 'for its owner only');
SELECT is(pg_temp.as_user(:'bob', format($$SELECT vrm.register_recording(%L, 'x', 1, sha256('x'))$$, :'registered_run')), 'P0002', 'recordings are of own calls');
DELETE FROM vrm.test_runs WHERE id = :'registered_run';
DELETE FROM vrm_private.object_purges;

-- kept, and handed to the client

INSERT INTO vrm.test_runs (user_id, status) SELECT u, 'queued' FROM unnest(ARRAY[:'alice', :'bob']::uuid[]) AS u, generate_series(1, 2);
SELECT min(id::text) AS run, max(id::text) AS other FROM vrm.test_runs WHERE user_id = :'alice' \gset
SELECT min(id::text) AS bobs FROM vrm.test_runs WHERE user_id = :'bob' \gset
CREATE FUNCTION pg_temp.recording(owner uuid, run uuid, name text, ago interval, kept interval DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
    INSERT INTO vrm.call_recordings (user_id, run_id, object_key, bytes, sha256, recorded_at, keep)
    VALUES (owner, run, name, 10, sha256(''), now() - ago, kept)
$$;
SELECT pg_temp.recording(:'alice', :'run', 'old', '91 days'), pg_temp.recording(:'alice', :'run', 'new', '89 days'),
       pg_temp.recording(:'alice', :'run', 'short', '2 days', '1 day'), pg_temp.recording(:'alice', :'run', 'long', '2 years', '3 years'),
       pg_temp.recording(:'alice', :'other', 'held', '1 year'), pg_temp.recording(:'bob', :'bobs', 'bobs', '1 day') \g /dev/null
SELECT vrm.place_hold('case', run_id => :'other') AS hold \gset

SELECT is((SELECT concat_ws(' ', due_rows, due_bytes, held_rows) FROM vrm.retention_preview('recordings')), '2 20 1', '90 days, or a period of its own; not what is held');
SELECT is(vrm.retention_step((vrm_private.begin_retention_run('recordings')).run_id, 0, 1000, 100), 2::bigint, 'these go');
SELECT is((SELECT string_agg(object_key, ' ' ORDER BY object_key) FROM vrm.call_recordings), 'bobs held long new', 'the others stay');
SELECT throws_ok($$DELETE FROM vrm.call_recordings WHERE object_key = 'held'$$, '55006', NULL, 'a hold keeps a recording from everybody');
SELECT throws_ok($$UPDATE vrm.call_recordings SET keep = '0'$$, '23514', NULL, 'a period is positive');

-- the outbox
SELECT is((SELECT string_agg(object_key, ' ' ORDER BY object_key) FROM vrm_private.object_purges), 'old short', 'their objects wait to be deleted');
SELECT is((SELECT object_key FROM vrm.claim_purges(1)), 'old', 'a client takes one');
SELECT is((SELECT string_agg(object_key, ' ') FROM vrm.claim_purges()), 'short', 'another takes another');
SELECT is_empty('SELECT * FROM vrm.claim_purges()', 'nobody takes what is taken');
SELECT ok(vrm.confirm_purge((SELECT id FROM vrm_private.object_purges WHERE object_key = 'old')), 'done is done');
UPDATE vrm_private.object_purges SET claimed_until = now() - interval '1 second';
SELECT is((SELECT object_key FROM vrm.claim_purges()), 'short', 'a client that died is replaced');
SELECT is((SELECT attempts FROM vrm_private.object_purges), 2, 'and that is counted');
SELECT ok(vrm.confirm_purge((SELECT id FROM vrm_private.object_purges)), 'done, too');
SELECT ok(NOT vrm.confirm_purge(0), 'nothing is confirmed twice');

-- every other way to go
SELECT vrm.release_hold(:hold) \g /dev/null
SELECT is(pg_temp.as_user(:'alice', format('DELETE FROM vrm.test_runs WHERE id = %L RETURNING 1', :'other')), '1', 'a user deletes a call');
SELECT is((SELECT object_key FROM vrm.claim_purges()), 'held', 'and the object goes with it');
DELETE FROM auth.users WHERE id = :'bob';
SELECT is((SELECT object_key FROM vrm.claim_purges()), 'bobs', 'so it does with a person');
SELECT is(pg_temp.as_user(:'alice', statement), '42501', 'users cannot: ' || statement)
FROM unnest(ARRAY['SELECT vrm.claim_purges()', 'SELECT vrm.confirm_purge(1)']) AS statement;

SELECT * FROM finish();
ROLLBACK;
