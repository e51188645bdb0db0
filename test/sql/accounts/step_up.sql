-- Second factors and passwords of who is in: nobody throws themselves out, and other sessions have to show it.
BEGIN;
SELECT plan(23);
\ir ../include/people.sql
\ir ../include/secrets.sql
SELECT 'u' || gen_random_uuid() || '@example.org' AS mail \gset
INSERT INTO auth.users (id, email, email_confirmed_at, encrypted_password)
VALUES (vrm.uuid7(), :'mail', now(), vrm.password_hash('correct horse')) RETURNING id AS alice \gset
SELECT access_token AS here, refresh_token AS here_refresh FROM vrm.sign_in(:'mail', 'correct horse') \gset
SELECT access_token AS there FROM vrm.sign_in(:'mail', 'correct horse') \gset
CREATE FUNCTION pg_temp.with_token(token text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    PERFORM vrm.login(token);
    SET LOCAL ROLE authenticated;
    BEGIN
        EXECUTE statement INTO result;
    EXCEPTION WHEN OTHERS THEN
        result := SQLSTATE;
    END;
    RESET ROLE;
    PERFORM vrm.logout();
    RETURN result;
END
$$;

-- turning it on ------------------------------------------------------------------------------------

SELECT pg_temp.with_token(:'here', 'SELECT secret FROM vrm.mfa_enrol()') AS secret \gset
SELECT is(pg_temp.with_token(:'there', 'SELECT vrm.account_problem()'), NULL, 'two sessions');
SELECT is(pg_temp.with_token(:'here',
                             format('SELECT vrm.mfa_confirm(%L)',
                                    vrm.totp_code(:'secret', clock_timestamp() - interval '30 s'))), 'true',
          'one turns the second factor on');
SELECT is(pg_temp.with_token(:'here', 'SELECT vrm.account_problem()'), NULL,
          'and stays in, with the token that it has');
SELECT is((SELECT vrm.verify_jwt(access_token) ->> 'aal' FROM vrm.session_refresh(:'here_refresh')), 'aal2',
          'its next token says so');
SELECT is(pg_temp.with_token(:'there', 'SELECT vrm.account_problem()'), 'the second factor is missing',
          'the other has to show it');

-- stepping up --------------------------------------------------------------------------------------

SELECT is(pg_temp.with_token(:'there', $$SELECT status FROM vrm.session_step_up('000000')$$), 'invalid',
          'no code is not enough');
SELECT is(pg_temp.with_token(:'there', 'SELECT status FROM vrm.session_step_up(NULL)'), 'invalid', 'nor null');
SELECT pg_temp.with_token(:'there',
                          format('SELECT access_token FROM vrm.session_step_up(%L)',
                                 vrm.totp_code(:'secret', clock_timestamp()))) AS stepped \gset
SELECT is(vrm.verify_jwt(:'stepped') ->> 'aal', 'aal2', 'a code gives a token of both factors');
SELECT is(pg_temp.with_token(:'there', 'SELECT vrm.account_problem()'), NULL, 'and the old one is good for it, too');
SELECT is(pg_temp.as_anon($$SELECT vrm.session_step_up('000000')$$), '42501', 'nobody steps up for nobody');
UPDATE auth.users SET banned_until = 'infinity' WHERE id = :'alice';
SELECT is(pg_temp.with_token(:'here', format('SELECT vrm.mfa_disable(%L)', '000000')), '42501',
          'who is banned changes no factor');
UPDATE auth.users SET banned_until = NULL WHERE id = :'alice';

-- another password ---------------------------------------------------------------------------------

SELECT is(pg_temp.with_token(:'here', $$SELECT vrm.change_password('wrong horse', 'another horse')$$), 'invalid',
          'the old password is asked for');
SELECT is(pg_temp.with_token(:'here', $$SELECT vrm.change_password('correct horse', 'short')$$), '22023',
          'the new one has to be one');
SELECT is(pg_temp.with_token(:'here', $$SELECT vrm.change_password('correct horse', 'another horse')$$), 'ok',
          'then it is changed');
SELECT is((SELECT status::text FROM vrm.sign_in(:'mail', 'correct horse')), 'invalid', 'the old one is worthless');
SELECT is((SELECT status::text FROM vrm.sign_in(:'mail', 'another horse')), 'mfa_required', 'the new one is good');
SELECT is(pg_temp.with_token(:'here', 'SELECT vrm.account_problem()'), NULL, 'this session goes on');
SELECT throws_ok(format('SELECT vrm.login(%L)', :'there'), '28000', 'token rejected', 'the others have ended');
SELECT is((SELECT string_agg(pg_temp.with_token(:'here',
                                                $$SELECT vrm.change_password('wrong horse', 'another horse')$$), ' ')
           FROM generate_series(1, 5)), 'invalid invalid invalid invalid locked',
           'who has a token guesses no further than others');
SELECT is((SELECT status::text FROM vrm.sign_in(:'mail', 'another horse')), 'mfa_required', 'and locks nobody out');
SELECT is(pg_temp.as_anon($$SELECT vrm.change_password('a', 'correct horse')$$), '42501', 'nobody changes nobody''s');

-- API keys -----------------------------------------------------------------------------------------

SELECT set_config('request.jwt.claims', json_build_object('sub', :'alice', 'aal', 'aal2')::text, true) \g /dev/null
SET LOCAL ROLE authenticated;
SELECT vrm.store_api_key('telephony', 'key of hers') \g /dev/null
RESET ROLE;
SET LOCAL ROLE vrm_use_api_keys;
SELECT vrm.use_api_key('telephony') AS opened \gset
RESET ROLE;
SELECT is(:'opened'::text, 'key of hers', 'vrm_use_api_keys opens keys of who has signed in');
SELECT ok(NOT has_function_privilege('vrm_use_api_keys', 'vrm.reveal(bytea,bytea)', 'EXECUTE')
          AND NOT pg_has_role('vrm_use_api_keys', 'vrm_reveal', 'MEMBER'), 'and nothing else');

SELECT * FROM finish();
ROLLBACK;
