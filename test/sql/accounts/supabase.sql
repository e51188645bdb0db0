-- On Supabase its own service keeps passwords: ours are refused, and its hooks do the lockout.
BEGIN;
SELECT plan(24);
\ir ../include/people.sql
\ir ../include/secrets.sql
SELECT 'u' || gen_random_uuid() || '@example.org' AS mail \gset
SELECT pg_temp.person(:'mail') AS alice \gset
CREATE FUNCTION pg_temp.hook(name text, who uuid, valid boolean) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer jsonb;
BEGIN
    EXECUTE format('SELECT vrm.%I($1)', name) INTO answer USING jsonb_build_object('user_id', who, 'valid', valid);
    RETURN answer ->> 'decision';
END
$$;

SELECT is(pg_temp.hook('hook_password_verification_attempt', :'alice', true), 'continue', 'a right password passes');
SELECT is((SELECT string_agg(pg_temp.hook('hook_password_verification_attempt', :'alice', false), ' ')
           FROM generate_series(1, 5)),
          'continue continue continue continue reject', 'the fifth wrong one locks');
SELECT is(pg_temp.hook('hook_password_verification_attempt', :'alice', true), 'reject',
          'then even the right one is rejected');
SELECT ok(vrm.is_locked(:'mail'), 'it is the lock that everybody sees');
SELECT ok((SELECT locked_until > now() FROM vrm.account_standing WHERE user_id = :'alice'), 'the view, too');
SELECT is((SELECT string_agg(pg_temp.hook('hook_mfa_verification_attempt', :'alice', false), ' ')
           FROM generate_series(1, 5)),
          'continue continue continue continue reject', 'second factors are counted apart');
SELECT is(pg_temp.hook('hook_password_verification_attempt', vrm.uuid7(), false), 'continue',
          'unknown users are counted');
SELECT pg_temp.person('by-hand-' || :'mail') AS bob \gset
SELECT vrm.lock_account(:'bob', 'infinity', 'left') \g /dev/null
SELECT is(pg_temp.hook('hook_password_verification_attempt', :'bob', true), 'reject',
          'an administrator''s lock rejects the right one');
SELECT ok(vrm.hook_password_verification_attempt(event) ->> 'decision' IN ('continue', 'reject')
          AND vrm.hook_mfa_verification_attempt(event) ->> 'decision' IN ('continue', 'reject'),
          'every event is answered: ' || event::text)
FROM unnest(ARRAY['{}', '[]', 'null', '{"user_id": null, "valid": true}', '{"user_id": "nobody", "valid": true}',
                  '{"user_id": 7}',
                  '{"user_id": "00000000-0000-7000-8000-0000000000cc", "valid": "perhaps"}']::jsonb[]) AS event;
SELECT is(pg_temp.as_user(:'alice', $$SELECT vrm.hook_mfa_verification_attempt('{}')$$), '42501',
          'users do not call hooks');

CREATE TABLE auth.identities (id uuid);
SELECT throws_ok($$SELECT vrm.sign_up('a@example.org', 'correct horse')$$, '55000',
                 'passwords belong to Supabase Auth here', 'no sign-up');
SELECT throws_ok($$SELECT vrm.sign_in('a@example.org', 'correct horse')$$, '55000',
                 'passwords belong to Supabase Auth here', 'no sign-in');
SELECT throws_ok($$SELECT vrm.request_password_reset('a@example.org')$$, '55000',
                 'passwords belong to Supabase Auth here', 'no reset');
SELECT throws_ok($$SELECT vrm.consume_password_reset('x.y', 'correct horse')$$, '55000',
                 'passwords belong to Supabase Auth here', 'of either end');
CREATE FUNCTION pg_temp.hint(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    hint text;
BEGIN
    EXECUTE statement;
    RETURN NULL;
EXCEPTION WHEN object_not_in_prerequisite_state THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RETURN hint;
END
$$;
SELECT is(pg_temp.hint(statement),
          'Sign in through Supabase Auth; vrm.hook_password_verification_attempt is its hook.',
          statement || ' says where to go')
FROM unnest(ARRAY['SELECT vrm.sign_up(''a@example.org'', ''correct horse'')',
                  'SELECT vrm.sign_in(''a@example.org'', ''correct horse'')',
                  'SELECT vrm.request_password_reset(''a@example.org'')',
                  'SELECT vrm.consume_password_reset(''x.y'', ''correct horse'')']) AS statement;

SELECT * FROM finish();
ROLLBACK;
