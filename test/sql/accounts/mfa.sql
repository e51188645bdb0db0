-- Second factors: every code is good once.
BEGIN;
SELECT plan(37);
\ir ../include/people.sql
\ir ../include/secrets.sql
SELECT 'u' || gen_random_uuid() || '@example.org' AS mail \gset
SELECT vrm.sign_up(:'mail', 'correct horse') AS alice \gset
UPDATE auth.users SET email_confirmed_at = now() WHERE id = :'alice';
UPDATE vrm.lockout_policy SET threshold = 100 WHERE kind IN ('totp', 'recovery');

-- RFC 6238, appendix B -----------------------------------------------------------------------------------

SELECT is(vrm.totp_code('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', to_timestamp(at)), code, 'RFC 6238 at ' || at)
FROM (VALUES (59, '287082'), (1111111109, '081804'), (1111111111, '050471'), (1234567890, '005924'),
             (2000000000, '279037'), (20000000000, '353130')) AS v (at, code);

-- enrolment -----------------------------------------------------------------------------------------------

CREATE TEMP TABLE enrolled (factor_id uuid, secret text, otpauth_uri text);
GRANT ALL ON enrolled TO authenticated;
SELECT is(pg_temp.as_user(:'alice', 'INSERT INTO enrolled SELECT * FROM vrm.mfa_enrol() RETURNING factor_id'),
          :'alice', 'Alice enrols');
SELECT secret FROM enrolled \gset
SELECT is((SELECT otpauth_uri FROM enrolled),
          'otpauth://totp/vrm:' || replace(:'mail', '@', '%40') || '?secret=' || :'secret'
          || '&issuer=vrm&algorithm=SHA1&digits=6&period=30', 'and gets what an authenticator reads');
SELECT ok((SELECT vrm.is_sealed(mfa_secret) AND NOT mfa_enabled FROM vrm.user_profiles WHERE id = :'alice'),
          'the secret is sealed');
SELECT is((SELECT status::text FROM vrm.sign_in(:'mail', 'correct horse')), 'ok',
          'until it is confirmed a password is enough');
-- Codes of neighbouring steps, so that each is used once.
SELECT vrm.totp_code(:'secret', clock_timestamp() - interval '30 s') AS before,
    vrm.totp_code(:'secret', clock_timestamp()) AS now,
       vrm.totp_code(:'secret', clock_timestamp() + interval '30 s') AS after \gset
SELECT is(pg_temp.as_user(:'alice', $$SELECT vrm.mfa_confirm('abc')$$), 'false', 'what is no code confirms nothing');
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.mfa_confirm(%L)', :'before')), 'true', 'a code does');
SELECT ok((SELECT mfa_enabled FROM vrm.user_profiles WHERE id = :'alice'), 'then the factor is on');
SELECT is(pg_temp.as_user(:'alice', 'SELECT vrm.mfa_enrol()'), '55000', 'another cannot take its place');
SELECT is(pg_temp.as_anon('SELECT vrm.mfa_enrol()'), '42501', 'nobody enrols nobody');

-- signing in -------------------------------------------------------------------------------------------------

SELECT status, mfa_ticket FROM vrm.sign_in(:'mail', 'correct horse') \gset
SELECT is(:'status'::text, 'mfa_required', 'a password is not enough any more');
SELECT is((SELECT status::text FROM vrm.sign_in_mfa(:'mfa_ticket', :'before')), 'invalid', 'a used code is not taken');
SELECT is((SELECT status::text FROM vrm.sign_in_mfa('made up', :'now')), 'invalid', 'nor a ticket that is made up');
SELECT is((SELECT status::text FROM vrm.sign_in_mfa(:'mfa_ticket', NULL)), 'invalid', 'nor no code');
SAVEPOINT replay;
SELECT status, access_token FROM vrm.sign_in_mfa(:'mfa_ticket', :'now') \gset
SELECT is(:'status'::text, 'ok', 'a fresh code is');
SELECT is(vrm.login(:'access_token'), :'alice'::uuid, 'its token is good');
SELECT is(vrm.aal(), 'aal2', 'and says that there were two factors');
SELECT vrm.logout();
ROLLBACK TO SAVEPOINT replay;
SELECT is((SELECT status::text FROM vrm.sign_in_mfa(:'mfa_ticket', :'now')), 'invalid',
          'ROLLBACK does not make a code good again');
SELECT is((SELECT status::text FROM vrm.sign_in(:'mail', 'correct horse', totp => :'after')), 'ok',
          'password and code in one');
SELECT is((SELECT status::text FROM vrm.sign_in(:'mail', 'wrong horse', totp => :'after')), 'invalid',
          'the password counts');

SELECT mfa_ticket FROM vrm.sign_in(:'mail', 'correct horse') \gset
UPDATE auth.users SET banned_until = 'infinity' WHERE id = :'alice';
SELECT is((SELECT status::text FROM vrm.sign_in_mfa(:'mfa_ticket', 'AAAA')), 'invalid', 'a ban ends a ticket');
SELECT is((SELECT consecutive FROM vrm.lockout_state('recovery', :'alice')), 0, 'before the code is looked at');
UPDATE auth.users SET banned_until = NULL WHERE id = :'alice';
SELECT vrm.password_hash('correct horse') AS same_again \gset
UPDATE auth.users SET encrypted_password = :'same_again' WHERE id = :'alice';
SELECT is((SELECT status::text FROM vrm.sign_in_mfa(:'mfa_ticket', 'AAAA')), 'invalid', 'and a new password does');
SELECT is((SELECT consecutive FROM vrm.lockout_state('recovery', :'alice')), 0, 'as early');

-- recovery codes -----------------------------------------------------------------------------------------------

UPDATE vrm.user_profiles SET mfa_enabled = true WHERE id = :'alice';
CREATE TEMP TABLE codes (code text);
GRANT ALL ON codes TO authenticated;
INSERT INTO vrm_private.recovery_codes VALUES (:'alice', sha256('AAAABBBBCCCCDDDD'));
SELECT is(pg_temp.as_user(:'alice',
                          $$INSERT INTO codes SELECT vrm.mfa_recovery_codes('aaaa-bbbb-cccc-dddd') RETURNING 1$$), '1',
          'a recovery code gives new ones');
SELECT is((SELECT count(DISTINCT code) FROM codes), 10::bigint, 'ten');
SELECT matches((SELECT code FROM codes LIMIT 1), '^([A-Z2-7]{4}-){3}[A-Z2-7]{4}$', 'of 80 bits');
SELECT code FROM codes LIMIT 1 \gset
SELECT is((SELECT status::text FROM vrm.sign_in(:'mail', 'correct horse', totp => 'AAAA-BBBB-CCCC-DDDD')), 'invalid',
          'the old ones are worthless');
SELECT is((SELECT status::text FROM vrm.sign_in(:'mail', 'correct horse', totp => :'code')), 'ok', 'one signs in');
SELECT is((SELECT status::text FROM vrm.sign_in(:'mail', 'correct horse', totp => :'code')), 'invalid', 'once');
SELECT code FROM codes OFFSET 2 LIMIT 1 \gset
SAVEPOINT reuse;
SELECT is((SELECT status::text FROM vrm.sign_in(:'mail', 'correct horse', totp => :'code')), 'ok', 'another one does');
ROLLBACK TO SAVEPOINT reuse;
SELECT is((SELECT status::text FROM vrm.sign_in(:'mail', 'correct horse', totp => :'code')), 'invalid',
          'ROLLBACK does not bring it back');

SELECT * FROM finish();
ROLLBACK;
