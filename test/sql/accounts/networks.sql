-- Networks: who is not believed throttles nobody but itself, and mails are counted like passwords.
BEGIN;
SELECT plan(15);
\ir ../include/people.sql
\ir ../include/secrets.sql
SELECT 'u' || gen_random_uuid() || '@example.org' AS mail \gset
INSERT INTO auth.users (id, email, email_confirmed_at, encrypted_password)
VALUES (vrm.uuid7(), :'mail', now(), vrm.password_hash('correct horse'));
UPDATE vrm.lockout_policy SET threshold = 3 WHERE kind IN ('ip', 'request_ip');
CREATE FUNCTION pg_temp.guesses(times int, ip inet) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg((vrm.sign_in('u' || gen_random_uuid(), 'wrong horse', client_ip => ip)).status::text, ' ')
    FROM generate_series(1, times)
$$;
CREATE FUNCTION pg_temp.asked(times int, ip inet) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    asked int;
BEGIN
    PERFORM vrm.request_password_reset('u' || gen_random_uuid(), ip) FROM generate_series(1, times);
    DELETE FROM vrm_private.password_reset_requests;
    GET DIAGNOSTICS asked = ROW_COUNT;
    RETURN asked;
END
$$;
-- Networks of this run, so that nothing counted before matters.
SELECT set_config('test.networks',
                  string_agg(host(('2001:db8:' || left(md5(:'mail'), 4) || ':' || i || '::1')::inet), ',' ORDER BY i),
                  true)
FROM generate_series(1, 6) i \g /dev/null
CREATE FUNCTION pg_temp.network(i int) RETURNS inet LANGUAGE sql AS
    $$SELECT split_part(current_setting('test.networks'), ',', i)::inet$$;

-- what the service says ---------------------------------------------------------------------------

SELECT is(pg_temp.guesses(4, pg_temp.network(1)), 'invalid invalid invalid throttled',
          'a network that the service names is throttled');
SELECT is((SELECT status::text FROM vrm.sign_in(:'mail', 'correct horse', client_ip => pg_temp.network(2))), 'ok',
          'others are not');
SELECT is(pg_temp.asked(5, pg_temp.network(2)), 3, 'requests of mails are throttled as well');
SELECT is((SELECT status::text FROM vrm.sign_in(:'mail', 'correct horse', client_ip => pg_temp.network(2))), 'ok',
          'and spoil no sign-in');
SELECT is(pg_temp.asked(2, pg_temp.network(1)), 2, 'nor guesses a request');

-- what anybody says -------------------------------------------------------------------------------

SET LOCAL vrm.trusted_logins = '';
SET LOCAL ROLE anon;
SELECT is(pg_temp.guesses(4, pg_temp.network(3)), 'invalid invalid invalid throttled', 'a client is throttled');
RESET ROLE;
SELECT is((SELECT status::text FROM vrm.sign_in(:'mail', 'correct horse', client_ip => pg_temp.network(3))), 'ok',
          'and not the network that it names');
SET LOCAL ROLE anon;
SELECT vrm.request_password_reset('u' || gen_random_uuid(), pg_temp.network(4)) FROM generate_series(1, 5) \g /dev/null
RESET ROLE;
SELECT is((SELECT count(*) FROM vrm_private.password_reset_requests), 3::bigint, 'no more mails than for anybody');
SELECT is(pg_temp.asked(1, pg_temp.network(4)), 4, 'while that network still gets its own');

-- a gateway ---------------------------------------------------------------------------------------

SELECT set_config('vrm.trusted_logins', 'somebody, ' || session_user, true) \g /dev/null
CREATE FUNCTION pg_temp.behind(proxies text) RETURNS text LANGUAGE sql AS $$
    SELECT set_config('request.headers', json_build_object('x-forwarded-for', proxies)::text, true);
    SELECT pg_temp.as_anon(format('SELECT pg_temp.guesses(1, %L)', pg_temp.network(1)))
$$;
SELECT is((SELECT string_agg(pg_temp.behind('198.51.100.' || i || ', ' || host(pg_temp.network(5))), ' ')
           FROM generate_series(1, 4) i),
          'invalid invalid invalid throttled', 'behind a gateway the address counts that the last proxy has added');
SELECT is(pg_temp.behind(host(pg_temp.network(6))), 'invalid', 'others go on');
SELECT is(pg_temp.behind('unknown'), 'invalid', 'what is no address is not counted');
SELECT set_config('request.headers', '', true) \g /dev/null
SELECT is(pg_temp.as_anon(format('SELECT pg_temp.guesses(1, %L)', pg_temp.network(1))), 'invalid',
          'nor what a client says there');
SELECT set_config('request.headers', 'no json', true) \g /dev/null
SELECT is(pg_temp.as_anon(format('SELECT pg_temp.guesses(1, %L)', pg_temp.network(1))), 'invalid', 'nor nonsense');
SELECT set_config('request.headers', '', true) \g /dev/null
SELECT is((SELECT status::text FROM vrm.sign_in(:'mail', 'correct horse', client_ip => NULL)), 'ok',
          'no address is not counted');

SELECT * FROM finish();
ROLLBACK;
