-- Keys within one transaction: made, imported, told apart, destroyed; and that they are nothing for users.
-- Other sessions, replicas and master keys are tested in test/cluster/secrets.
BEGIN;
SELECT plan(23);
\ir ../include/people.sql
\ir ../include/secrets.sql
CREATE FUNCTION pg_temp.state_of(key bigint) RETURNS text LANGUAGE sql AS
    $$ SELECT state || CASE WHEN usable THEN ' usable' ELSE '' END FROM vrm.keyring_status WHERE key_id = key $$;

SELECT is(pg_temp.state_of(:data_key), 'active usable', 'a new key is the active one');
SELECT vrm.seal('a text') AS sealed, vrm.key_create('data') AS next_key \gset
SELECT isnt(:data_key, :next_key, 'each is another');
SELECT is(pg_temp.state_of(:data_key) || ', ' || pg_temp.state_of(:next_key), 'decrypt_only usable, active usable',
          'the next takes its place');
SELECT is(vrm.reveal(:'sealed'), 'a text', 'what the first has sealed still opens');
SELECT is(vrm.key_of(:'sealed') - :data_key, 0::bigint, 'a value tells its key');
SELECT is(vrm.key_of('plaintext'), NULL, 'what is none has none');
SELECT is(pg_temp.state_of(:index_key), 'active usable', 'keys of another purpose stay');
SELECT throws_ok($$SELECT vrm.key_create('signing')$$, '22023', NULL, 'there are two purposes');

-- keys from elsewhere ------------------------------------------------------------------------------------

SELECT vrm.key_import('data', encode(sha256('somewhere'), 'base64')::vrm.secret) AS imported \gset
SELECT is(pg_temp.state_of(:imported), 'decrypt_only usable', 'an imported key only opens');
SELECT is(:imported & ((1::bigint << 62) - 1 + (1::bigint << 62)), :imported, 'its id is positive');
SELECT is(:imported, ('x' || encode(substr(sha256(convert_to('vrm/key-id/v1', 'UTF8') || sha256('somewhere')), 1, 8),
                                    'hex'))::bit(64)::bigint & 9223372036854775807, 'and computed from the key');
SELECT throws_ok($$SELECT vrm.key_import('data', 'c2hvcnQ=')$$, '22023', NULL, 'a key has 32 bytes');

-- destroyed ----------------------------------------------------------------------------------------------

SELECT throws_ok(format('SELECT vrm.key_destroy(%s)', :next_key), '55000', NULL, 'the active key stays');
SELECT throws_ok('SELECT vrm.key_destroy(1)', '55000', NULL, 'what is not there cannot go');
CREATE TABLE pg_temp.kept AS SELECT :'sealed'::vrm.sealed AS content;
SELECT throws_ok(format('SELECT vrm.key_destroy(%s)', :data_key), '55006', NULL, 'nor what a value needs');
DELETE FROM kept;
SELECT lives_ok(format('SELECT vrm.key_destroy(%s)', :data_key), 'until there is none');
SELECT vrm.key_destroy(:imported) \g /dev/null
SELECT is(pg_temp.state_of(:imported), 'destroyed', 'one that nobody needs goes');
SELECT is((SELECT wrapped FROM vrm_private.keyring WHERE key_id = :imported), NULL, 'with its bytes');
SELECT throws_ok(format('SELECT vrm.key_destroy(%s)', :imported), '55000', NULL, 'once');
SELECT throws_ok($$UPDATE vrm_private.keyring SET state = 'active' WHERE state = 'destroyed'$$, '23514', NULL,
                 'and does not come back');

-- who may ------------------------------------------------------------------------------------------------

SELECT is((SELECT string_agg(pg_temp.as_role(r, NULL, s), ' ')
           FROM unnest('{authenticated,service_role,vrm_reveal}'::text[]) AS r,
                unnest(ARRAY['SELECT vrm.key_create(''data'')', 'SELECT vrm.rewrap_keys()',
                             'SELECT vrm.key_destroy(1)', 'SELECT count(*) FROM vrm_private.keyring',
                             'SELECT count(*) FROM vrm_private.subject_keys']) AS s),
          array_to_string(array_fill('42501'::text, ARRAY[15]), ' '), 'keys are for the owner of the database');
SELECT is(pg_temp.as_role('service_role', NULL, 'SELECT count(*) > 0 FROM vrm.keyring_status'), 'true',
          'the service sees how they are');
SELECT is(pg_temp.as_role('authenticated', NULL, 'SELECT count(*) FROM vrm.keyring_status'), '42501', 'users do not');

SELECT * FROM finish();
ROLLBACK;
