-- Password resets: every token is good once, and none replaces the second factor.
BEGIN;
SELECT plan(18);
\ir ../include/people.sql
\ir ../include/secrets.sql
SELECT 'u' || gen_random_uuid() || '@example.org' AS mail \gset
SELECT vrm.sign_up(:'mail', 'correct horse') AS alice \gset
UPDATE auth.users SET email_confirmed_at = now() WHERE id = :'alice';
UPDATE vrm.lockout_policy SET threshold = 100 WHERE kind IN ('totp', 'recovery');

-- Alice has a second factor, and recovery codes that stand in for it.
CREATE TEMP TABLE codes (code text);
GRANT ALL ON codes TO authenticated;
UPDATE vrm.user_profiles SET mfa_enabled = true, mfa_secret = vrm.seal('JBSWY3DPEHPK3PXP') WHERE id = :'alice';
INSERT INTO vrm_private.recovery_codes VALUES (:'alice', sha256('EEEEFFFFGGGGHHHH'));
SELECT pg_temp.as_user(:'alice',
                       $$INSERT INTO codes SELECT vrm.mfa_recovery_codes('eeee-ffff-gggg-hhhh') RETURNING 1$$)
                       \g /dev/null

SELECT is(pg_temp.as_anon(format('SELECT vrm.request_password_reset(%L)', :'mail')), '', 'anybody asks');
SELECT is(pg_temp.as_anon($$SELECT vrm.request_password_reset('nobody@example.org')$$), '',
          'for anybody, with one answer');
SELECT email, token FROM vrm.take_reset_mail() \gset
SELECT is(:'email'::text, :'mail', 'the mailer gets the token of who is there');
SELECT is_empty('SELECT * FROM vrm.take_reset_mail()', 'once');
SELECT ok(vrm.verify_password_reset(:'token'), 'it is good');
SELECT ok(NOT vrm.verify_password_reset(:'token' || 'x'), 'and no other');
SELECT throws_ok(format('SELECT vrm.consume_password_reset(%L, %L)', :'token', 'short'), '22023', NULL,
                 'the new password has to be one');
SELECT ok(NOT vrm.consume_password_reset(:'token', 'new password'), 'a mail does not replace the second factor');
SELECT code FROM codes OFFSET 1 LIMIT 1 \gset
SELECT code AS fourth FROM codes OFFSET 3 LIMIT 1 \gset
SELECT ok(vrm.consume_password_reset(:'token', 'new password', :'code'), 'with it the password is set');
SELECT ok(NOT vrm.consume_password_reset(:'token', 'other password', :'code'), 'once');
UPDATE vrm.lockout_policy SET threshold = 100 WHERE kind = 'reset_request';
SELECT vrm.request_password_reset(:'mail');
SELECT token AS older FROM vrm.take_reset_mail() \gset
SELECT vrm.request_password_reset(:'mail');
SELECT ok(vrm.verify_password_reset(:'older'), 'a request alone voids nothing: anybody may ask');
SELECT token FROM vrm.take_reset_mail() \gset
SELECT ok(NOT vrm.verify_password_reset(:'older'), 'a newer mail voids the older one');
SAVEPOINT reuse;
SELECT ok(vrm.consume_password_reset(:'token', 'rolled back', :'fourth'), 'a second token');
ROLLBACK TO SAVEPOINT reuse;
SELECT ok(NOT vrm.verify_password_reset(:'token'), 'is used, whatever is rolled back');
SELECT code FROM codes OFFSET 4 LIMIT 1 \gset
SELECT ok(NOT vrm.consume_password_reset(:'token', 'rolled back', :'code'), 'and not taken again');
SELECT is((SELECT status::text FROM vrm.sign_in(:'mail', 'new password')), 'mfa_required', 'the new one is good');
SELECT is((SELECT status::text FROM vrm.sign_in(:'mail', 'correct horse')), 'invalid', 'the old one is not');
SELECT ok(NOT EXISTS (SELECT FROM vrm_private.sessions WHERE user_id = :'alice' AND revoked_at IS NULL),
          'all sessions have ended');

SELECT * FROM finish();
ROLLBACK;
