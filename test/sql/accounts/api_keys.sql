-- API keys: kept sealed, opened by role, every use on record.
BEGIN;
SELECT plan(54);
\ir ../include/people.sql
\ir ../include/secrets.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob \gset

-- stored, listed -----------------------------------------------------------------------------------

SELECT isnt(pg_temp.as_user(:'alice',
                            $$SELECT vrm.store_api_key('openai', 'sk-live-0123456789abcdef', 'for summaries')$$)::uuid,
            NULL, 'a user stores a key');
SELECT ok(vrm.is_bound(key), 'it is sealed and bound to its row') FROM vrm.api_keys;
SELECT ok(position('0123456789' IN encode(key, 'escape')) = 0, 'its text is nowhere in it') FROM vrm.api_keys;
SELECT is(pg_temp.as_user(:'alice',
                          'SELECT concat_ws('' '', service, hint, description, last_used_at) FROM vrm.list_api_keys()'),
          'openai …cdef for summaries', 'the list shows service and last four characters');
SELECT is(pg_temp.as_user(:'bob', 'SELECT count(*) FROM vrm.list_api_keys()'), '0', 'to the owner only');
SELECT is(pg_temp.as_user(:'alice', $$SELECT vrm.store_api_key('openai', 'another')$$), '23505',
          'one key for a service');
SELECT matches(pg_temp.as_user(:'bob', $$SELECT vrm.store_api_key('openai', 'short')$$), '^[0-9a-f]{8}-',
               'of one user');
SELECT is(pg_temp.as_user(:'bob', 'SELECT hint FROM vrm.list_api_keys()'), NULL, 'a short key has no hint');

-- used ---------------------------------------------------------------------------------------------

SELECT is(pg_temp.as_user(:'alice', $$SELECT vrm.use_api_key('openai')$$), '42501',
          'who stores keys may not open them');
SELECT is(pg_temp.as_role('service_role', :'alice', $$SELECT vrm.use_api_key('openai')$$), 'sk-live-0123456789abcdef',
          'the service opens the key');
SELECT is(pg_temp.as_role('service_role', :'bob', $$SELECT vrm.use_api_key('openai')$$), 'short',
          'of the user it works for');
SELECT is(pg_temp.as_user(:'alice',
                          'SELECT concat_ws('' '', count(*), min(service), min(used_by::text)) FROM vrm.api_key_uses'),
          '1 openai service_role', 'every use is on record');
SELECT is(pg_temp.as_user(:'alice', 'SELECT last_used_at FROM vrm.list_api_keys()')::timestamptz, now(),
          'and in the list');
SELECT is(pg_temp.as_user(:'alice', 'DELETE FROM vrm.api_key_uses'), '42501', 'nobody takes it off the record');
SELECT is(pg_temp.as_role('service_role', :'alice', $$SELECT vrm.use_api_key('unknown')$$), 'P0002',
          'a service without a key');
SELECT is(pg_temp.as_role('service_role', NULL, $$SELECT vrm.use_api_key('openai')$$), '28000', 'needs a user');

-- what does not lead to a key ----------------------------------------------------------------------

SELECT is(pg_temp.as_user(:'alice', 'SELECT key FROM vrm.api_keys'), '42501', 'the sealed value is not readable');
SELECT is(pg_temp.as_user(:'alice', $$SELECT vrm.reveal('x')$$), '42501', 'reveal is for vrm_reveal');
SELECT is(pg_temp.as_role('service_role', :'alice', $$SELECT vrm.reveal('x')$$), '42501', 'and for nobody else');
SELECT is(pg_temp.as_role('service_role', :'alice', $$SELECT vrm.reveal_row('vrm.api_keys', 'key', '(a,b)')$$),
          '42501', 'nor is reveal_row');
CREATE ROLE revealing_user IN ROLE vrm_reveal, authenticated;
SELECT k::text AS row_of_alice, row(user_id, id)::text AS key_of_alice
FROM vrm.api_keys k WHERE user_id = :'alice' \gset
SELECT is(pg_temp.as_role('revealing_user', :'alice', 'SELECT id IS NOT NULL FROM vrm.api_keys'), 'true',
          'one of that role who reads what users read');
SELECT is(pg_temp.as_role('revealing_user', :'alice',
                          format('SELECT vrm.reveal_row(''vrm.api_keys'', ''key'', %L)', :'key_of_alice')), '42501',
          'needs the right to read the sealed value as well');
SELECT is(pg_temp.as_role('revealing_user', :'alice',
                          format('SELECT vrm.reveal_row(%L::vrm.api_keys, ''key'')', :'row_of_alice')), '42501',
          'also with a row at hand');
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.reveal_row(%L::vrm.api_keys, ''key'')', k::text)),
          '42501', 'which an owner cannot open at all') FROM vrm.api_keys k WHERE user_id = :'alice';
SELECT is(pg_temp.as_user(:'alice', 'SELECT * FROM vrm_private.keyring'), '42501', 'the keyring is private');
SELECT is(pg_temp.as_role('service_role', NULL, 'SELECT count(*) FROM vrm_private.subject_keys'), '42501',
          'so are users'' keys');
SELECT is(pg_temp.as_role('service_role', NULL, $$SELECT vrm.key_create('data')$$), '42501', 'keys are the DBA''s');
SELECT is(pg_temp.as_anon($$SELECT vrm.store_api_key('openai', 'x')$$), '42501', 'anonymous callers store nothing');
SELECT is(pg_temp.as_role('service_role', :'alice',
                          format('UPDATE vrm.api_keys SET key = (SELECT key FROM vrm.api_keys WHERE user_id = %L) '
                                 'WHERE user_id = %L', :'bob', :'alice')),
          '42501', 'a key moved to another user''s row is refused');

-- replaced, deleted --------------------------------------------------------------------------------

SELECT is(pg_temp.as_user(:'alice', $$SELECT vrm.replace_api_key('openai', 'sk-live-fedcba9876543210')$$), '',
          'a key is replaced');
SELECT is(pg_temp.as_role('service_role', :'alice', $$SELECT vrm.use_api_key('openai')$$), 'sk-live-fedcba9876543210',
          'by the new one');
SELECT is(pg_temp.as_user(:'alice', $$SELECT vrm.replace_api_key('unknown', 'x')$$), 'P0002', 'if there is one');
SELECT is(pg_temp.as_user(:'alice', $$SELECT vrm.delete_api_key('openai')$$), '', 'and deleted');
SELECT is(pg_temp.as_user(:'alice', $$SELECT vrm.delete_api_key('openai')$$), 'P0002', 'once');
SELECT is(pg_temp.as_user(:'alice', $$SELECT vrm.store_api_key('openai', NULL)$$), '22004', 'null is no key');
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.store_api_key(%s)', arguments)), '22023',
          'too long, which no constraint has to say with the whole row: ' || arguments)
FROM unnest(ARRAY['repeat(''x'', 201), ''sk-1''', '''late'', ''sk-1'', repeat(''x'', 2001)']) AS arguments;

-- services that name the user -------------------------------------------------------------------

SELECT matches(pg_temp.as_role('service_role', NULL,
                               format($$SELECT vrm.store_api_key('deepgram', 'dg-1', 'ears', %L)$$, :'alice')),
               '^[0-9a-f]{8}-', 'a service stores a key for a user');
SELECT is(pg_temp.as_role('service_role', NULL, format($$SELECT vrm.use_api_key('deepgram', %L)$$, :'alice')), 'dg-1',
          'and opens it');
SELECT is((SELECT used_by::text FROM vrm.api_key_uses WHERE user_id = :'alice' AND service = 'deepgram'),
          'service_role',
          'which its owner can read');
SELECT is(pg_temp.as_role('service_role', NULL, format($$SELECT vrm.use_api_key('deepgram', %L)$$, :'bob')), 'P0002',
          'others have no such key');
SELECT is(pg_temp.as_role('service_role', :'bob', format($$SELECT vrm.use_api_key('deepgram', %L)$$, :'alice')),
          '42501',
          'who has signed in opens none of others, whatever the role');
SELECT is(pg_temp.as_role(role, who::uuid, format($$SELECT vrm.use_api_key('deepgram', %L)$$, :'alice')), '42501',
          concat_ws(' ', role, who, 'opens none'))
FROM (VALUES ('authenticated', :'bob'), ('authenticated', NULL), ('vrm_use_api_keys', NULL)) AS other (role, who);
SELECT is(pg_temp.as_role('service_role', NULL, format($$SELECT vrm.use_api_key('deepgram', %L)$$, vrm.uuid7())),
          'P0002',
          'of nobody there is none');
INSERT INTO vrm_private.account_locks (user_id, locked_until) VALUES (:'alice', now() + interval '1 hour');
SELECT is(pg_temp.as_role('service_role', NULL, format($$SELECT vrm.use_api_key('deepgram', %L)$$, :'alice')), '42501',
          'nothing is done for an account that is locked');
DELETE FROM vrm_private.account_locks;
UPDATE auth.users SET banned_until = now() + interval '1 hour' WHERE id = :'alice';
SELECT is(pg_temp.as_role('service_role', NULL, format($$SELECT vrm.use_api_key('deepgram', %L)$$, :'alice')), '42501',
          'or banned');
UPDATE auth.users SET banned_until = NULL WHERE id = :'alice';
SELECT is(pg_temp.as_role('service_role', NULL, format($$SELECT vrm.import_call('vrm', '{"id": "c1", "started_at":
              "2026-05-01T10:00:00Z", "ended_at": "2026-05-01T10:01:00Z", "status": "completed"}', NULL, %L) IS NULL$$,
                                                       :'alice')), 'false', 'a webhook brings calls in');
SELECT is((SELECT count(*) FROM vrm.test_runs WHERE user_id = :'alice' AND external_id = 'c1'), 1::bigint,
          'for that user');
SELECT id AS run FROM vrm.test_runs WHERE user_id = :'alice' AND external_id = 'c1' \gset
SELECT pg_temp.as_role('service_role', NULL, format($$SELECT vrm.register_recording(%L, 'c1.ogg', 1, sha256('x'), %L)$$,
                                                    :'run', :'alice')) AS recording \gset
SELECT is(pg_temp.as_role('service_role', NULL, format('SELECT length(vrm.recording_key(%L, %L))', :'recording',
                                                       :'alice')),
          '32', 'and its recording, with a key');
SELECT is(pg_temp.as_role('service_role', NULL, format('SELECT vrm.recording_key(%L, %L)', :'recording', :'bob')),
          'P0002',
          'that opens for its owner alone');

-- users who are deleted ----------------------------------------------------------------------------

UPDATE vrm.user_profiles SET mfa_secret = vrm.seal('JBSWY3DPEHPK3PXP') WHERE id = :'alice';
SELECT is(vrm.reveal_row(p, 'mfa_secret'), 'JBSWY3DPEHPK3PXP', 'a second factor is sealed likewise')
FROM vrm.user_profiles p WHERE id = :'alice';
DELETE FROM auth.users WHERE id = :'alice';
SELECT is((SELECT count(*) FROM vrm_private.subject_keys WHERE subject = :'alice'), 0::bigint,
          'a deleted user leaves no key');

SELECT * FROM finish();
ROLLBACK;
