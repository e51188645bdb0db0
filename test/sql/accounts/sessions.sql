-- Sessions and their tokens: ROLLBACK undoes no use of one.
BEGIN;
SELECT plan(22);
\ir ../include/people.sql
\ir ../include/secrets.sql
SELECT 'u' || gen_random_uuid() || '@example.org' AS mail \gset

SELECT vrm.sign_up(:'mail', 'correct horse', 'Alice') AS alice \gset
UPDATE auth.users SET email_confirmed_at = now() WHERE id = :'alice';
SELECT refresh_token FROM vrm.sign_in(:'mail', 'correct horse') \gset

SELECT status AS second, refresh_token AS second_token, access_token AS second_access
    FROM vrm.session_refresh(:'refresh_token') \gset
SELECT is(:'second'::text, 'ok', 'a refresh token gives new tokens');
SELECT is(vrm.login(:'second_access'), :'alice'::uuid, 'that are good');
SELECT vrm.logout();
SELECT is((SELECT status::text FROM vrm.session_refresh('made.up.0.x')), 'invalid', 'one that is made up does not');
SELECT is((SELECT status::text FROM vrm.session_refresh(:'refresh_token' || 'x')), 'invalid',
          'nor one that is changed');
SELECT is((SELECT status || refresh_token FROM vrm.session_refresh(:'refresh_token')), 'ok' || :'second_token',
          'another tab gets the same ones');
SAVEPOINT lost;
SELECT refresh_token AS third_token FROM vrm.session_refresh(:'second_token') \gset
ROLLBACK TO SAVEPOINT lost;
SELECT is((SELECT status::text FROM vrm.session_refresh(:'third_token')), 'invalid',
          'tokens that were rolled back are not good');
SELECT is((SELECT status || refresh_token FROM vrm.session_refresh(:'second_token')), 'ok' || :'third_token',
          'until they are asked for again');
SAVEPOINT theft;
SELECT is((SELECT status::text FROM vrm.session_refresh(:'refresh_token')), 'invalid',
          'a token before the last is refused');
ROLLBACK TO SAVEPOINT theft;
SELECT is((SELECT status::text FROM vrm.session_refresh(:'third_token')), 'invalid',
          'and has ended the session, whatever is rolled back');
SELECT throws_ok(format('SELECT vrm.login(%L)', :'second_access'), '28000', 'token rejected', 'with its access tokens');

SELECT session_id, refresh_token, access_token FROM vrm.sign_in(:'mail', 'correct horse') \gset
SELECT is(pg_temp.as_user(vrm.uuid7(), format('SELECT vrm.session_revoke(%L)', :'session_id')), 'false',
          'others end no session of mine');
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.session_revoke(%L)', :'session_id')), 'true', 'I do');
SELECT is((SELECT status::text FROM vrm.session_refresh(:'refresh_token')), 'invalid', 'then its token is worthless');
SELECT throws_ok(format('SELECT vrm.login(%L)', :'access_token'), '28000', 'token rejected',
                 'at once its access token, too');
SAVEPOINT unseen;
SELECT access_token FROM vrm.sign_in(:'mail', 'correct horse') \gset
SELECT is(vrm.login(:'access_token'), :'alice'::uuid, 'a sign-in');
ROLLBACK TO SAVEPOINT unseen;
SELECT throws_ok(format('SELECT vrm.login(%L)', :'access_token'), '28000', 'token rejected',
                 'that is rolled back leaves no token');
SELECT is((SELECT count(*) FROM vrm_private.audit_journal WHERE action = 'signed in'
           AND detail ->> 'user_id' = :'alice'), 3::bigint,
          'but every one is in the journal');
SELECT access_token FROM vrm.sign_in(:'mail', 'correct horse') \gset
SELECT vrm.login(:'access_token') \g /dev/null
SELECT is(vrm.account_problem(), NULL, 'a session that lives');
SELECT vrm.session_revoke((vrm.jwt() ->> 'session_id')::uuid) \g /dev/null
SELECT is(vrm.account_problem(), 'the session has ended', 'and ends in the middle of a transaction');
SELECT vrm.logout();
SELECT refresh_token FROM vrm.sign_in(:'mail', 'correct horse') \gset
SELECT is(pg_temp.as_user(vrm.uuid7(), format('SELECT vrm.session_revoke_all(%L)', :'alice')), '42501',
          'nor all of them');
SELECT cmp_ok(pg_temp.as_user(:'alice', format('SELECT vrm.session_revoke_all(%L)', :'alice'))::int, '>', 0,
              'but I may');
SELECT is((SELECT status::text FROM vrm.session_refresh(:'refresh_token')), 'invalid', 'then all tokens are worthless');

SELECT * FROM finish();
ROLLBACK;
