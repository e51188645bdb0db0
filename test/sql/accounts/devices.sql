-- Devices that are known: their tokens expire, are so many, and are good with one password only.
BEGIN;
SELECT plan(18);
\ir ../include/people.sql
\ir ../include/secrets.sql
SELECT 'u' || gen_random_uuid() || '@example.org' AS mail, 'v' || gen_random_uuid() || '@example.org' AS other \gset
INSERT INTO auth.users (id, email, email_confirmed_at, encrypted_password)
VALUES (vrm.uuid7(), :'mail', now(), vrm.password_hash('correct horse')) RETURNING id AS alice \gset
INSERT INTO auth.users (id, email, email_confirmed_at, encrypted_password)
VALUES (vrm.uuid7(), :'other', now(), vrm.password_hash('correct horse')) RETURNING id AS bob \gset
CREATE FUNCTION pg_temp.sign_in(who text, device text) RETURNS text LANGUAGE sql AS $$
    SELECT status::text FROM vrm.sign_in(who, 'correct horse', device_token => device)
$$;
CREATE FUNCTION pg_temp.devices(who uuid) RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM vrm_private.devices WHERE user_id = who
$$;

SELECT device_token AS laptop FROM vrm.sign_in(:'mail', 'correct horse') \gset
SELECT device_token AS tablet FROM vrm.sign_in(:'mail', 'correct horse') \gset
SELECT is(pg_temp.devices(:'alice'), 2::bigint, 'each sign-in without a token is from another device');
SELECT is((SELECT device_token FROM vrm.sign_in(:'mail', 'correct horse', device_token => :'laptop')), :'laptop',
          'one with a token from the device that has it');
SELECT is(pg_temp.devices(:'alice'), 2::bigint, 'which stays one');
SELECT string_agg(vrm.record_login_attempt(who, false)::text, ' ') AS locked
FROM unnest(ARRAY[:'mail', :'other']) AS who, generate_series(1, 5) \gset
SELECT is(pg_temp.sign_in(:'mail', NULL), 'locked', 'strangers have locked the address');
SELECT is(pg_temp.sign_in(:'mail', :'laptop'), 'ok', 'a known device gets in');
SELECT is(pg_temp.sign_in(:'other', :'laptop'), 'locked', 'nowhere else');

-- they expire ------------------------------------------------------------------------------------

SELECT ok((SELECT bool_and(expires_at BETWEEN now() + '89 days' AND clock_timestamp() + '90 days')
           FROM vrm_private.devices WHERE user_id = :'alice'), 'for 90 days');
UPDATE vrm_private.devices SET expires_at = clock_timestamp() - interval '1 s'
WHERE user_id = :'alice' AND id = vrm.lockout_device(:'tablet', :'mail');
SELECT is(pg_temp.sign_in(:'mail', :'tablet'), 'locked', 'it is a stranger''s afterwards');
UPDATE vrm_private.devices SET expires_at = now() - interval '1 s'
WHERE user_id = :'alice' AND id = vrm.lockout_device(:'tablet', :'mail');
SELECT vrm_private.forget_devices();
SELECT is(pg_temp.devices(:'alice'), 1::bigint, 'and forgotten');

-- they are twenty at most ------------------------------------------------------------------------

SELECT count(vrm_private.remember_device(:'alice', NULL)) AS more FROM generate_series(1, 19) \gset
SELECT is(pg_temp.sign_in(:'mail', :'laptop'), 'ok', 'one of twenty');
SELECT count(vrm_private.remember_device(:'alice', NULL)) AS more FROM generate_series(1, 20) \gset
SELECT is(pg_temp.devices(:'alice'), 20::bigint, 'there are no more');
SELECT is(pg_temp.sign_in(:'mail', :'laptop'), 'locked', 'the one that was used least lately is a stranger');

-- they are good with one password, and for a sign-in that was committed --------------------------

SELECT vrm.lockout_clear('password', :'mail') \g /dev/null
SAVEPOINT before;
SELECT device_token AS phone FROM vrm.sign_in(:'mail', 'correct horse') \gset
ROLLBACK TO before;
SELECT device_token AS desk FROM vrm.sign_in(:'mail', 'correct horse') \gset
SELECT string_agg(vrm.record_login_attempt(:'mail', false)::text, ' ') AS locked FROM generate_series(1, 5) \gset
SELECT is(pg_temp.sign_in(:'mail', :'phone'), 'locked', 'a sign-in that was rolled back has left no device');
SELECT is(pg_temp.sign_in(:'mail', :'desk'), 'ok', 'one that was not has');
UPDATE auth.users SET encrypted_password = vrm.password_hash('correct horse') WHERE id = :'alice';
SELECT is(pg_temp.sign_in(:'mail', :'desk'), 'locked', 'with another password, whoever set it, no device is known');

-- second factors ---------------------------------------------------------------------------------

SELECT vrm.lockout_clear('password', :'mail') \g /dev/null
UPDATE vrm.user_profiles SET mfa_enabled = true, mfa_secret = vrm.seal('JBSWY3DPEHPK3PXP') WHERE id = :'alice';
SELECT mfa_ticket FROM vrm.sign_in(:'mail', 'correct horse', device_token => :'desk') \gset
SELECT is((SELECT device_token FROM vrm.sign_in_mfa(:'mfa_ticket', vrm.totp_code('JBSWY3DPEHPK3PXP',
                                                                            clock_timestamp()))), :'desk',
          'the device goes through the second half of a sign-in');
SELECT mfa_ticket FROM vrm.sign_in(:'mail', 'correct horse') \gset
UPDATE auth.users SET encrypted_password = vrm.password_hash('another horse') WHERE id = :'alice';
SELECT is((SELECT status::text FROM vrm.sign_in_mfa(:'mfa_ticket', vrm.totp_code('JBSWY3DPEHPK3PXP',
                                                                                 clock_timestamp() + interval '30 s'))),
          'invalid', 'a ticket dies with the password');
SELECT mfa_ticket FROM vrm.sign_in(:'mail', 'another horse') \gset
UPDATE auth.users SET banned_until = 'infinity' WHERE id = :'alice';
SELECT is((SELECT status::text FROM vrm.sign_in_mfa(:'mfa_ticket', vrm.totp_code('JBSWY3DPEHPK3PXP',
                                                                                 clock_timestamp() + interval '30 s'))),
          'invalid', 'and with a ban');

SELECT * FROM finish();
ROLLBACK;
