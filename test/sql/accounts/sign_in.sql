-- Signing up and in.  Failures are statuses.
BEGIN;
SELECT plan(32);
\ir ../include/people.sql
\ir ../include/secrets.sql
SELECT 'u' || gen_random_uuid() || '@example.org' AS mail \gset

-- signing up ------------------------------------------------------------------------------------------

SELECT vrm.sign_up(:'mail', 'correct horse', 'Alice') AS alice \gset
UPDATE auth.users SET email_confirmed_at = now() WHERE id = :'alice';
SELECT is((SELECT email || ' ' || full_name FROM vrm.user_profiles WHERE id = :'alice'), :'mail' || ' Alice',
          'a sign-up makes a profile');
SELECT lives_ok(format('SELECT vrm.sign_up(%L, %L)', upper(:'mail'), 'another one'),
                'a second one is answered the same');
SELECT is((SELECT count(*) FROM auth.users WHERE lower(email) = :'mail'), 1::bigint, 'and makes nothing');
SELECT throws_ok(format('SELECT vrm.sign_up(%L, %L)', 'b@example.org', 'short'), '22023', 'the password is too short',
                 'short passwords are refused');
SELECT throws_ok($$SELECT vrm.sign_up('nobody', 'correct horse')$$, '22023', 'the address is not valid',
                 'and what is no address');

-- signing in ------------------------------------------------------------------------------------------

SELECT status, user_id, session_id, access_token, refresh_token, device_token
    FROM vrm.sign_in(upper(:'mail'), 'correct horse', client_ip => '192.0.2.1', user_agent => 'psql') \gset
SELECT is(:'status'::text, 'ok', 'the right password');
SELECT is(:'user_id'::text, :'alice', 'is Alice''s');
SELECT is(vrm.login(:'access_token'), :'alice'::uuid, 'vrm.login takes the access token');
SELECT is((SELECT concat_ws(' ', vrm.jwt() ->> 'iss', vrm.aal(), vrm.jwt() ->> 'session_id',
                            vrm.jwt() ->> 'user_role')),
          'vrm aal1 ' || :'session_id' || ' user', 'which says how and for what');
SELECT vrm.logout();
SELECT ok((SELECT last_login > now() FROM vrm.user_profiles WHERE id = :'alice'), 'the profile shows it');
SELECT is((SELECT status::text FROM vrm.sign_in(:'mail', 'wrong horse')), 'invalid', 'a wrong password');
SELECT is((SELECT status::text FROM vrm.sign_in('x' || :'mail', 'wrong horse')), 'invalid',
          'an unknown user is answered alike');
SELECT is((SELECT status::text FROM vrm.sign_in(:'mail', NULL)), 'invalid', 'so is no password');
SELECT is((SELECT string_agg(status::text, ' ')
           FROM (SELECT (vrm.sign_in(:'mail', 'wrong horse')).status FROM generate_series(1, 4)) s),
          'invalid invalid locked locked', 'five failures lock');
SELECT is((SELECT string_agg(status::text, ' ')
           FROM (SELECT (vrm.sign_in('x' || :'mail', 'wrong horse')).status FROM generate_series(1, 5)) s),
          'invalid invalid invalid locked locked', 'the unknown user, too');
SELECT ok((SELECT locked_until > now() FROM vrm.account_standing WHERE user_id = :'alice'), 'the view shows the lock');
SELECT ok((SELECT locked_until IS NULL FROM vrm.user_profiles WHERE id = :'alice'),
          'nothing of hers is written for a guesser');
SELECT is((SELECT status::text FROM vrm.sign_in(:'mail', 'correct horse')), 'locked', 'even with the right password');
SELECT is(coalesce(current_setting('response.status', true), ''), '', 'HTTP is not spoken of where nobody asks');
SET LOCAL vrm.http_errors = on;
SELECT vrm.sign_in(:'mail', 'correct horse') \g /dev/null
SELECT is(current_setting('response.status', true), '429',
          'PostgREST is told that there were too many, and nothing is taken back');
SET LOCAL vrm.http_errors = off;
SELECT is((SELECT status::text FROM vrm.sign_in(:'mail', 'correct horse', device_token => :'device_token')), 'ok',
          'but from a known device');
SELECT vrm.unlock_account(:'mail') \g /dev/null
SELECT vrm.lock_account(:'alice', 'infinity', 'left') \g /dev/null
SELECT is((SELECT status::text || retry_after
           FROM vrm.sign_in(:'mail', 'correct horse', device_token => :'device_token')), 'locked30 days',
          'an administrator''s lock holds for known devices');
SELECT is((SELECT status::text FROM vrm.sign_in(:'mail', 'wrong horse')), 'invalid',
          'and tells nothing to who lacks the password');
SELECT is((SELECT status::text FROM vrm.session_refresh(:'refresh_token')), 'locked', 'it refuses refresh tokens');
SELECT vrm.unlock_account(:'mail') \g /dev/null
UPDATE auth.users SET banned_until = 'infinity' WHERE id = :'alice';
SELECT is((SELECT status::text FROM vrm.sign_in(:'mail', 'correct horse')), 'invalid', 'who is banned does not get in');
UPDATE auth.users SET banned_until = NULL,
    encrypted_password = '$2b$31$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s.' WHERE id = :'alice';
SELECT is((SELECT status::text FROM vrm.sign_in(:'mail', 'correct horse')), 'invalid',
          'nor with a hash that cannot be used');
UPDATE auth.users SET encrypted_password = '$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s.'
    WHERE id = :'alice';
SELECT is((SELECT status::text FROM vrm.sign_in(:'mail', '')), 'ok', 'bcrypt lets in');
SELECT alike((SELECT encrypted_password FROM auth.users WHERE id = :'alice'), '$argon2id$%', 'and is replaced');

-- where it is refused ---------------------------------------------------------------------------------------

SELECT is(pg_temp.as_anon($$SELECT (vrm.sign_in('nobody@example.org', 'wrong horse')).status$$), 'invalid',
          'anybody may try to sign in');
SELECT is(pg_temp.as_user(:'alice', $$SELECT vrm.password_hash('x')$$), '42501', 'but not hash at our expense');
SELECT is(pg_temp.as_user(:'alice', 'SELECT * FROM vrm_private.sessions'), '42501', 'nor look at sessions');
SET LOCAL transaction_read_only = on;
SELECT throws_ok(format('SELECT vrm.sign_in(%L, %L)', :'mail', 'correct horse'), '25006',
                 'sign-in is not possible in a read-only transaction',
                 'in a read-only transaction');

SELECT * FROM finish();
ROLLBACK;
