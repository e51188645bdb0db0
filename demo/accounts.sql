-- The tour, continued: Dora signs up, gets locked out by failures that are rolled back, is let in again,
-- loses her password, and the audit trail has it all.
SET vrm.secret_literals = allow;  -- applications bind the password as a parameter
SELECT 'dora-' || left(vrm.random_base32(), 6) || '@example.org' AS dora \gset

\echo '12. Dora signs up and in, and turns a second factor on.  SELECT vrm.sign_in(...);'
\echo
SELECT vrm.sign_up(:'dora', 'correct horse battery', 'Dora') AS dora_id \gset
SELECT vrm.confirm_sign_up(token, 'correct horse battery') AS confirmed FROM vrm.take_sign_up_mail() \gset
SELECT status AS first, access_token FROM vrm.sign_in(:'dora', 'correct horse battery') \gset
BEGIN;
SELECT vrm.login(:'access_token') AS logged_in \gset
SELECT secret FROM vrm.mfa_enrol() \gset
SELECT vrm.mfa_confirm(vrm.totp_code(:'secret', clock_timestamp() - interval '30 seconds')) AS confirmed \gset
COMMIT;
SELECT status AS second FROM vrm.sign_in(:'dora', 'correct horse battery') \gset
SELECT status AS third
FROM vrm.sign_in(:'dora', 'correct horse battery', totp => vrm.totp_code(:'secret', clock_timestamp())) \gset
SELECT :'first' AS "password", :'confirmed' AS "second factor on", :'second' AS "password alone",
       :'third' AS "with a code";

\echo '13. Somebody guesses, and rolls back each time.  BEGIN; SELECT vrm.sign_in(...); ROLLBACK;'
\echo
BEGIN;
SELECT string_agg((vrm.sign_in(:'dora', 'a guess')).status::text, ', ') AS answers
FROM generate_series(1, 6);
ROLLBACK;
SELECT vrm.is_locked(:'dora') AS "locked all the same",
       (SELECT status FROM vrm.sign_in(:'dora', 'correct horse battery')) AS "the right password";
SELECT vrm.unlock_account(:'dora', 'called us') AS "unlocked by an administrator",
       NOT vrm.is_locked(:'dora') AS "open again";

\echo '14. She has the password reset, once.  SELECT vrm.consume_password_reset(...);'
\echo
SELECT vrm.request_password_reset(:'dora') \g /dev/null
SELECT token FROM vrm.take_reset_mail() WHERE email = lower(:'dora') \gset
SELECT vrm.consume_password_reset(:'token', 'another horse') AS "without the code",
       vrm.consume_password_reset(:'token', 'another horse',
           vrm.totp_code(:'secret', clock_timestamp() + interval '30 seconds')) AS "with it",
       vrm.consume_password_reset(:'token', 'a third horse') AS "a second time";

\echo '15. The audit trail, sealed and verified.  SELECT vrm.audit_seal(), vrm.audit_verify();'
\echo
SELECT vrm.audit_drain() \g /dev/null
SELECT action, count(*) FROM vrm.audit_log
WHERE detail ->> 'user_id' = :'dora_id' OR detail ->> 'identifier' = :'dora'
GROUP BY action ORDER BY min(at);
-- A transaction that began before, such as one of an autovacuum, would hold the seal up.
DO $$
BEGIN
    FOR i IN 1 .. 100 LOOP
        EXIT WHEN vrm.audit_seal() > 0;
        PERFORM pg_sleep(0.05);
    END LOOP;
END
$$;
SELECT count(*) > 0 AS sealed FROM vrm_private.audit_seals \gset
SELECT vrm.audit_head() AS head \gset
SELECT :'sealed' AS sealed, count(*) AS "problems found" FROM vrm.audit_verify(:'head');
