-- Keys that sign access tokens: how they rotate, and what others may know of them.
BEGIN;
SELECT plan(7);
\ir ../include/secrets.sql
\ir ../include/people.sql

SELECT vrm.rotate_token_key() AS first \gset
CREATE FUNCTION pg_temp.kids() RETURNS SETOF text LANGUAGE sql AS
    $$ SELECT k ->> 'kid' FROM jsonb_array_elements(vrm.jwks() -> 'keys') AS k $$;
SELECT set_eq('SELECT pg_temp.kids()', ARRAY[:'first'],
          'the public half of a key is published');
SELECT is_empty($$SELECT member FROM jsonb_array_elements(vrm.jwks() -> 'keys') AS k, jsonb_object_keys(k) AS member
                  WHERE member NOT IN ('kid', 'alg', 'use', 'kty', 'crv', 'x', 'y', 'key_ops')$$, 'and no more of it');
SELECT vrm.rotate_token_key() AS second \gset
SELECT set_eq('SELECT pg_temp.kids()', ARRAY[:'second', :'first'], 'the key before goes on proving its tokens');
SELECT is((vrm_private.token_key()).kid, :'second', 'the new one signs');
UPDATE vrm_private.token_keys SET created_at = created_at - interval '2 hours';
SELECT vrm.rotate_token_key() AS third \gset
SELECT set_eq('SELECT pg_temp.kids()', ARRAY[:'third', :'second'], 'what has been replaced for an hour goes');
SELECT isnt(pg_temp.as_role('anon', NULL, 'SELECT count(*) FROM jsonb_object_keys(vrm.jwks())'), '42501',
            'everybody may see them');
SELECT is(pg_temp.as_role('authenticated', NULL, 'SELECT vrm.rotate_token_key()'), '42501',
          'the service alone may have a new one');

SELECT * FROM finish();
ROLLBACK;
