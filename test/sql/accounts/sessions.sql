-- Sessions and their tokens: ROLLBACK undoes no use of one.
BEGIN;
SELECT plan(12);
\ir ../include/people.sql
\ir ../include/secrets.sql
SELECT 'u' || gen_random_uuid() || '@example.org' AS mail \gset

SELECT vrm.sign_up(:'mail', 'correct horse', 'Alice') AS alice \gset
SELECT refresh_token FROM vrm.sign_in(:'mail', 'correct horse') \gset

SELECT status AS second, refresh_token AS second_token, access_token AS second_access FROM vrm.session_refresh(:'refresh_token') \gset
SELECT is(:'second'::text, 'ok', 'a refresh token gives new tokens');
SELECT is(vrm.login(:'second_access'), :'alice'::uuid, 'that are good');
SELECT vrm.logout();
SELECT is((SELECT status::text FROM vrm.session_refresh('made.up.0.x')), 'invalid', 'one that is made up does not');
SELECT is((SELECT status::text FROM vrm.session_refresh(:'refresh_token' || 'x')), 'invalid', 'nor one that is changed');
SAVEPOINT theft;
SELECT is((SELECT status::text FROM vrm.session_refresh(:'refresh_token')), 'invalid', 'a second use is refused');
ROLLBACK TO SAVEPOINT theft;
SELECT is((SELECT status::text FROM vrm.session_refresh(:'second_token')), 'invalid', 'and has ended the session, whatever is rolled back');

SELECT session_id, refresh_token FROM vrm.sign_in(:'mail', 'correct horse') \gset
SELECT is(pg_temp.as_user(vrm.uuid7(), format('SELECT vrm.session_revoke(%L)', :'session_id')), 'false', 'others end no session of mine');
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.session_revoke(%L)', :'session_id')), 'true', 'I do');
SELECT is((SELECT status::text FROM vrm.session_refresh(:'refresh_token')), 'invalid', 'then its token is worthless');
SELECT refresh_token FROM vrm.sign_in(:'mail', 'correct horse') \gset
SELECT is(pg_temp.as_user(vrm.uuid7(), format('SELECT vrm.session_revoke_all(%L)', :'alice')), '42501', 'nor all of them');
SELECT cmp_ok(pg_temp.as_user(:'alice', format('SELECT vrm.session_revoke_all(%L)', :'alice'))::int, '>', 0, 'but I may');
SELECT is((SELECT status::text FROM vrm.session_refresh(:'refresh_token')), 'invalid', 'then all tokens are worthless');

SELECT * FROM finish();
ROLLBACK;
