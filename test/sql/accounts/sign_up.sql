-- Signing up: an address belongs to whoever reads its mail, and nobody is told who has an account.
BEGIN;
SELECT plan(28);
\ir ../include/people.sql
\ir ../include/secrets.sql
SELECT 'u' || gen_random_uuid() || '@example.org' AS mail, 'v' || gen_random_uuid() || '@example.org' AS known \gset
INSERT INTO auth.users (id, email, email_confirmed_at, encrypted_password)
VALUES (vrm.uuid7(), :'known', now(), vrm.password_hash('of its owner')) RETURNING id AS owner \gset
DELETE FROM vrm_private.sign_ups;

-- who has an account -------------------------------------------------------------------------------

SELECT isnt(pg_temp.as_anon(format('SELECT vrm.sign_up(%L, %L)', :'mail', 'strange password')), NULL,
            'anybody signs up');
SELECT isnt(pg_temp.as_anon(format('SELECT vrm.sign_up(%L, %L)', upper(:'known'), 'strange password')), NULL,
            'with any address');
SELECT is((SELECT string_agg((vrm.sign_in(a, 'strange password')).status::text, ' ')
           FROM unnest(ARRAY[:'mail', :'known']) a),
          'invalid invalid', 'and cannot sign in, whether or not the address had an account');
SELECT is((SELECT count(*) FROM auth.users WHERE lower(email) = :'known'), 1::bigint, 'who has an account keeps it');
SELECT is((SELECT status::text FROM vrm.sign_in(:'known', 'of its owner')), 'ok', 'as it was');
SELECT is(pg_temp.as_anon('SELECT * FROM vrm.take_sign_up_mail()'), '42501', 'mails are for the mailer');
CREATE TEMP TABLE mails AS SELECT * FROM vrm.take_sign_up_mail();
SELECT is((SELECT string_agg(concat_ws(' ', token IS NOT NULL, expires_at > now() + '23 hours'), ', ' ORDER BY email)
           FROM mails),
          't t, f', 'which sends a token to who has none yet, and word to who has');
SELECT is_empty('SELECT * FROM vrm.take_sign_up_mail()', 'once');

-- whose address it is --------------------------------------------------------------------------------

SELECT token FROM mails WHERE email = :'mail' \gset
SELECT ok(NOT vrm.confirm_sign_up(:'token', 'what the owner of the mailbox types'),
          'a mail that a stranger asked for opens nothing');
SELECT ok(NOT vrm.confirm_sign_up(:'token' || 'x', 'strange password'), 'nor does a token that is made up');
SELECT ok(NOT vrm.confirm_sign_up(NULL, 'strange password') AND NOT vrm.confirm_sign_up(:'token', NULL), 'nor none');
SELECT is((SELECT count(*) FROM vrm_private.sign_ups), 1::bigint, 'and the sign-up waits');
SELECT is(vrm.sign_up(:'mail', 'my own password', 'Mary') IS NULL, false, 'the owner signs up, too');
SELECT token AS own FROM vrm.take_sign_up_mail() \gset
SELECT ok(vrm.confirm_sign_up(:'own', 'my own password'), 'and confirms with both');
SELECT is((SELECT status::text FROM vrm.sign_in(:'mail', 'my own password')), 'ok', 'then the account is open');
SELECT is((SELECT string_agg(full_name, ' ') FROM vrm.user_profiles WHERE email = :'mail'), 'Mary', 'it is hers alone');
SELECT ok(NOT vrm.confirm_sign_up(:'token', 'strange password') AND NOT vrm.confirm_sign_up(:'own', 'my own password'),
          'no other mail is good any more');
SELECT is((SELECT status::text FROM vrm.sign_in(:'mail', 'strange password')), 'invalid',
          'nor the stranger''s password');

-- takeover by a reset ----------------------------------------------------------------------------------

SELECT 'w' || :'mail' AS taken \gset
SELECT vrm.sign_up(:'taken', 'strange password') AS stranger \gset
UPDATE vrm.user_profiles SET mfa_enabled = true, mfa_secret = vrm.seal('JBSWY3DPEHPK3PXP') WHERE id = :'stranger';
INSERT INTO vrm_private.recovery_codes (user_id, code_hash) VALUES (:'stranger', sha256('a code of the stranger'));
SELECT vrm.request_password_reset(:'taken') \g /dev/null
SELECT token FROM vrm.take_reset_mail() WHERE email = :'taken' \gset
SELECT ok(vrm.consume_password_reset(:'token', 'my own password'),
          'who reads the mail takes over what a stranger has made');
SELECT is((SELECT status::text FROM vrm.sign_in(:'taken', 'my own password')), 'ok', 'no second factor waits');
SELECT is((SELECT status::text FROM vrm.sign_in(:'taken', 'strange password')), 'invalid', 'and the stranger is out');
SELECT is_empty(format('SELECT FROM vrm_private.recovery_codes WHERE user_id = %L', :'stranger'),
                'with the codes for a rainy day');
UPDATE vrm.user_profiles SET mfa_enabled = true, mfa_secret = vrm.seal('JBSWY3DPEHPK3PXP') WHERE id = :'stranger';
SELECT vrm.request_password_reset(:'taken') \g /dev/null
SELECT token FROM vrm.take_reset_mail() WHERE email = :'taken' \gset
SELECT ok(NOT vrm.consume_password_reset(:'token', 'another password'), 'once it is proved, the second factor counts');

-- how often, and how long ---------------------------------------------------------------------------------

SELECT vrm.sign_up('x' || :'mail', 'strange password') FROM generate_series(1, 5) \g /dev/null
SELECT is((SELECT count(*) FROM vrm_private.sign_ups WHERE email = 'x' || :'mail'), 3::bigint,
          'an address is wanted three times an hour');
UPDATE vrm_private.sign_ups SET requested_at = now() - interval '25 hours';
SELECT token FROM vrm.take_sign_up_mail() WHERE email = 'x' || :'mail' LIMIT 1 \gset
SELECT ok(NOT vrm.confirm_sign_up(:'token', 'strange password'), 'a mail is good for a day');
SELECT vrm_private.forget_sign_ups();
SELECT is((SELECT count(*) FROM auth.users WHERE email = 'x' || :'mail'), 0::bigint, 'then the account goes');
SELECT is((SELECT count(*) FROM vrm_private.sign_ups), 0::bigint, 'with the sign-ups');
SELECT is((SELECT count(*) FROM auth.users WHERE email IN (:'mail', :'known', :'taken')), 3::bigint,
          'and nobody else''s');

SELECT * FROM finish();
ROLLBACK;
