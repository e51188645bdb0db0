-- Owners recover what they have deleted: with the mail, the password and the second factor.
BEGIN;
SELECT plan(23);
\ir ../include/people.sql
\ir ../include/secrets.sql
SELECT 'u' || gen_random_uuid() || '@example.org' AS mail \gset
INSERT INTO auth.users (id, email, email_confirmed_at, encrypted_password)
VALUES (vrm.uuid7(), :'mail', now(), vrm.password_hash('correct horse')) RETURNING id AS alice \gset
SELECT pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('reception')$$) AS agent \gset
CREATE FUNCTION pg_temp.ask(address text) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.as_anon(format('SELECT vrm.request_account_recovery(%L)', address));
    SELECT max(token) FROM vrm.take_recovery_mail() WHERE lower(email) = lower(address)
$$;

SELECT is(pg_temp.ask(:'mail'), NULL, 'an account that lives gets no mail');
SELECT is(pg_temp.as_user(:'alice', 'SELECT vrm.delete_account()'), '', 'a person deletes her account');
SELECT is(pg_temp.as_anon('SELECT vrm.request_account_recovery(''nobody@example.org'')'), '',
          'an address that nobody has is answered');
SELECT is(pg_temp.as_anon(format('SELECT vrm.request_account_recovery(%L)', upper(:'mail'))), '',
          'like one that somebody had');
SELECT is(pg_temp.as_user(:'alice', 'SELECT count(*) FROM vrm.take_recovery_mail()'), '42501',
          'mails are for the mailer');
SELECT email, token, expires_at - clock_timestamp() BETWEEN '59 min' AND '1 h' AS fresh
FROM vrm.take_recovery_mail() \gset
SELECT is(:'email' || :'fresh', :'mail' || 't', 'who sends it to the owner, good for an hour');
SELECT is_empty('SELECT * FROM vrm_private.recovery_requests', 'and nothing of the request is left');

SELECT is(pg_temp.as_anon(format('SELECT vrm.recover_own_account(%L, %L)', token, password)), 'false', what)
FROM (VALUES (:'token', 'wrong horse', 'the mail alone opens nothing: somebody else may have the address by now'),
             (:'token' || 'x', 'correct horse', 'nor does the password'), (NULL, 'correct horse', 'alone'))
     AS v (token, password, what);
UPDATE vrm.user_profiles SET mfa_enabled = true, mfa_secret = vrm.seal('JBSWY3DPEHPK3PXP') WHERE id = :'alice';
SELECT ok(NOT vrm.recover_own_account(:'token', 'correct horse'), 'the second factor is asked for, too');
SAVEPOINT before;
SELECT is(pg_temp.as_anon(format('SELECT vrm.recover_own_account(%L, ''correct horse'', %L)', :'token',
                                 vrm.totp_code('JBSWY3DPEHPK3PXP', clock_timestamp() - interval '30 s'))), 'true',
          'with all of them it comes back');
ROLLBACK TO before;
SELECT ok(NOT vrm.recover_own_account(:'token', 'correct horse',
                                      vrm.totp_code('JBSWY3DPEHPK3PXP', clock_timestamp())),
          'a token that was used is used, rolled back or not');
SELECT pg_temp.ask(:'mail') AS token \gset
SELECT ok(vrm.recover_own_account(:'token', 'correct horse',
                                  vrm.totp_code('JBSWY3DPEHPK3PXP', clock_timestamp() + interval '30 s')),
          'another one is good');
SELECT is((SELECT concat_ws(' ', u.email, u.deleted_at, u.banned_until, p.email, p.deleted_at)
           FROM auth.users u JOIN vrm.user_profiles p USING (id) WHERE id = :'alice'), :'mail' || ' ' || :'mail',
          'as it was');
SELECT is(pg_temp.as_role('authenticated', :'alice', format('SELECT count(*) FROM vrm.agents WHERE id = %L', :'agent')),
          '0', 'the factor has to be shown');
UPDATE vrm.user_profiles SET mfa_enabled = false, mfa_secret = NULL WHERE id = :'alice';
SELECT is(pg_temp.as_user(:'alice', format('SELECT count(*) FROM vrm.agents WHERE id = %L', :'agent')), '1',
          'with everything that was the account''s');
SELECT is((SELECT count(*) FROM vrm.audit_log WHERE action = 'account recovered' AND detail ->> 'user_id' = :'alice'),
          1::bigint, 'the trail tells');

-- what is not the owner's to recover -------------------------------------------------------------

SELECT vrm.lockout_clear('reset_request', 'recover ' || :'mail') \g /dev/null
SELECT pg_temp.as_role('service_role', NULL, format('SELECT vrm.delete_account(%L)', :'alice')) \g /dev/null
SELECT is(pg_temp.ask(:'mail'), NULL, 'what the service has deleted stays deleted');
SELECT vrm.recover_account(:'alice') \g /dev/null
SELECT pg_temp.as_user(:'alice', 'SELECT vrm.delete_account()') \g /dev/null
SELECT pg_temp.ask(:'mail') AS token \gset
SAVEPOINT before;
SELECT vrm.lock_account(:'alice', 'infinity', 'looked into') \g /dev/null
SELECT ok(NOT vrm.recover_own_account(:'token', 'correct horse'), 'nor is it while an administrator has locked it');
ROLLBACK TO before;
UPDATE vrm_private.deleted_accounts SET banned_until = 'infinity' WHERE user_id = :'alice';
SELECT ok(NOT vrm.recover_own_account(:'token', 'correct horse'), 'or was banned before');
ROLLBACK TO before;
UPDATE vrm_private.deleted_accounts SET token_expires_at = clock_timestamp() WHERE user_id = :'alice';
SELECT ok(NOT vrm.recover_own_account(:'token', 'correct horse'), 'or once the hour is over');
ROLLBACK TO before;
INSERT INTO auth.users (id, email, email_confirmed_at) VALUES (vrm.uuid7(), :'mail', now());
SELECT throws_ok(format('SELECT vrm.recover_own_account(%L, ''correct horse'')', :'token'), '23505', NULL,
                 'or when the address is somebody else''s');

SELECT * FROM finish();
ROLLBACK;
