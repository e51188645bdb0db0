-- Another address for who is signed in: it counts once it is proved, the old one is told, sessions go on.
BEGIN;
SELECT plan(39);
\ir ../include/people.sql
\ir ../include/secrets.sql
SELECT 'u' || gen_random_uuid() || '@example.org' AS mail, 'n' || gen_random_uuid() || '@example.org' AS new,
       'b' || gen_random_uuid() || '@example.org' AS bobs \gset
INSERT INTO auth.users (id, email, email_confirmed_at, encrypted_password)
VALUES (vrm.uuid7(), :'mail', now(), vrm.password_hash('correct horse')) RETURNING id AS alice \gset
INSERT INTO auth.users (id, email, email_confirmed_at, encrypted_password)
VALUES (vrm.uuid7(), :'bobs', now(), vrm.password_hash('correct horse')) RETURNING id AS bob \gset
SELECT access_token, refresh_token FROM vrm.sign_in(:'mail', 'correct horse') \gset
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
CREATE FUNCTION pg_temp.change(token text, address text, password text DEFAULT 'correct horse') RETURNS text
    LANGUAGE sql AS $$
    SELECT pg_temp.with_token(token, format('SELECT vrm.change_email(%L, %L)', address, password))
$$;
CREATE FUNCTION pg_temp.address(who uuid) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', u.email, p.email) FROM auth.users u JOIN vrm.user_profiles p USING (id) WHERE id = who
$$;

-- asking -----------------------------------------------------------------------------------------

SELECT is(pg_temp.as_anon(format('SELECT vrm.change_email(%L, %L)', :'new', 'x')), '42501', 'nobody asks for nobody');
SELECT is(pg_temp.change(:'access_token', :'new', 'wrong horse'), 'invalid', 'the password is asked for');
SELECT is(pg_temp.change(:'access_token', 'nobody'), '22023', 'and an address');
SELECT is_empty('SELECT * FROM vrm.take_email_change_mail()', 'nothing is sent so far');
SELECT is(pg_temp.change(:'access_token', upper(:'new')), 'ok', 'who knows it is heard');
SELECT is(pg_temp.address(:'alice'), :'mail' || ' ' || :'mail', 'nothing has changed yet');
SELECT is(pg_temp.as_user(:'alice', 'SELECT count(*) FROM vrm.take_email_change_mail()'), '42501',
          'mails are for the mailer');
SELECT string_agg(m.email || ' ' || says || ' ' || coalesce(expires_at > now() + interval '23 h', false), ', '
                  ORDER BY says) AS mails, max(m.token) AS token, count(m.token) AS tokens
FROM vrm.take_email_change_mail() m \gset
SELECT is(:'mails'::text, :'new' || ' confirm true, ' || :'mail' || ' requested false',
          'the new address is asked, the old one told');
SELECT is(:tokens, 1, 'the token goes to the new one only');
SELECT is_empty('SELECT * FROM vrm.take_email_change_mail()', 'once');
SELECT ok(NOT EXISTS (SELECT FROM vrm_private.email_changes c
                      WHERE c::text LIKE '%' || split_part(:'token', '.', 2) || '%'), 'and is kept nowhere');

-- confirming -------------------------------------------------------------------------------------

SELECT ok(NOT vrm.confirm_email_change(wrong), 'not with ' || coalesce(wrong, 'null'))
FROM unnest(ARRAY[:'token' || 'x', '', NULL, :'alice' || '.x']) AS wrong;
SELECT vrm.sign_up(:'new', 'a squatter''s horse') AS squatter \gset
SAVEPOINT before;
SELECT ok(vrm.confirm_email_change(:'token'), 'the token proves the new address');
SELECT is(pg_temp.address(:'alice'), :'new' || ' ' || :'new', 'which counts from then on');
ROLLBACK TO before;
SELECT ok(NOT vrm.confirm_email_change(:'token'), 'a token that was used is used, rolled back or not');
SELECT is(pg_temp.change(:'access_token', :'new'), 'ok', 'a newer request');
SELECT max(m.token) AS token FROM vrm.take_email_change_mail() m \gset
SELECT string_agg(vrm.record_login_attempt(:'new', false)::text, ' ') AS guessed FROM generate_series(1, 5) \gset
SELECT is(pg_temp.as_anon(format('SELECT vrm.confirm_email_change(%L)', :'token')), 'true',
          'makes a new token, which is good where the mail is read');
SELECT is(pg_temp.with_token(:'access_token', 'SELECT vrm.account_problem()'), NULL, 'who is signed in stays');
SELECT is((SELECT vrm.verify_jwt(t.access_token) ->> 'email' FROM vrm.session_refresh(:'refresh_token') t), :'new',
          'and has the address in the next token');
SELECT is((SELECT status::text FROM vrm.sign_in(:'new', 'correct horse')), 'ok',
          'the new address signs in, whatever was guessed at it before');
SELECT is((SELECT status::text FROM vrm.sign_in(:'mail', 'correct horse')), 'invalid', 'the old one does not');
SELECT is((SELECT count(*) FROM auth.users WHERE lower(email) = :'new'), 1::bigint, 'a squatter''s account is gone');
SELECT is((SELECT string_agg(m.email || ' ' || says || ' ' || coalesce(m.token, 'no token'), ', ')
           FROM vrm.take_email_change_mail() m), :'mail' || ' changed no token', 'the old address is told again');
SELECT is_empty(format('SELECT * FROM vrm_private.email_changes WHERE user_id = %L', :'alice'), 'and nothing is left');

-- addresses of others ----------------------------------------------------------------------------

SELECT is(pg_temp.change(:'access_token', :'bobs'), 'ok', 'an address that somebody has is answered the same');
SELECT is((SELECT string_agg(m.email || ' ' || says || ' ' || coalesce(m.token, 'no token'), ', ' ORDER BY says)
           FROM vrm.take_email_change_mail() m),
          :'bobs' || ' taken no token, ' || :'new' || ' requested no token', 'and only its owner is told');
SELECT is(pg_temp.address(:'bob') || pg_temp.address(:'alice'), concat(:'bobs', ' ', :'bobs', :'new', ' ', :'new'),
          'nothing changes hands');
SELECT is((SELECT string_agg(pg_temp.change(:'access_token', 'x' || :'bobs'), ' ') FROM generate_series(1, 4)),
          'ok ok ok ok', 'asking again and again is answered the same');
SELECT is((SELECT count(*) FROM vrm.take_email_change_mail() m WHERE m.email = 'x' || :'bobs'), 1::bigint,
          'and sends one mail');
SELECT count(pg_temp.change(:'access_token', 'x' || :'bobs')) AS again FROM generate_series(1, 4) \gset
SELECT is_empty(format('SELECT FROM vrm.take_email_change_mail() m WHERE m.email = %L', 'x' || :'bobs'),
                'an hour''s three are spent, whoever takes the mails');

-- what ends it -----------------------------------------------------------------------------------

SELECT is(pg_temp.change(:'access_token', 'y' || :'mail'), 'ok', 'a request');
SELECT max(m.token) AS token FROM vrm.take_email_change_mail() m \gset
SAVEPOINT before;
UPDATE auth.users SET encrypted_password = vrm.password_hash('another horse') WHERE id = :'alice';
SELECT ok(NOT vrm.confirm_email_change(:'token'), 'dies with the password');
ROLLBACK TO before;
UPDATE auth.users SET banned_until = 'infinity' WHERE id = :'alice';
SELECT ok(NOT vrm.confirm_email_change(:'token'), 'and with a ban');
ROLLBACK TO before;
SELECT vrm.lock_account(:'alice', 'infinity', 'looked into') \g /dev/null
SELECT ok(NOT vrm.confirm_email_change(:'token'), 'and with a lock by hand');
ROLLBACK TO before;
UPDATE vrm_private.email_changes SET requested_at = now() - interval '1 day 1 s' WHERE user_id = :'alice';
SELECT ok(NOT vrm.confirm_email_change(:'token'), 'and after a day');
SELECT vrm_private.forget_email_changes();
SELECT is_empty('SELECT * FROM vrm_private.email_changes', 'when it is forgotten');

SELECT * FROM finish();
ROLLBACK;
