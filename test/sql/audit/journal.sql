-- The journal: what no ROLLBACK takes back.
BEGIN;
SELECT plan(11);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('root@example.org') AS root \gset
UPDATE vrm.user_profiles SET role = 'admin' WHERE id = :'root';

SELECT vrm.audit_drain() \g /dev/null
SAVEPOINT s;
SELECT vrm.audit_journal('undone', '{"by": "them"}') \g /dev/null
SELECT vrm.record_login_attempt('alice@example.org', false, '203.0.113.9') \g /dev/null
SELECT pg_temp.as_user(:'alice', 'SELECT vrm.mfa_disable(''000000'')') \g /dev/null
ROLLBACK TO SAVEPOINT s;
SELECT is((SELECT string_agg(action, ', ' ORDER BY id) FROM vrm_private.audit_journal), 'undone, password failed',
          'a journal keeps what is rolled back');
SELECT is(vrm.audit_drain(), 2::bigint, 'until it is moved');
SELECT is((SELECT concat_ws(' ', class, db_role, detail - 'journal') FROM vrm.audit_log WHERE action = 'undone'),
          'security postgres {"by": "them"}', 'to the trail');
SELECT is((SELECT detail - '{key,journal}'::text[] FROM vrm.audit_log WHERE action = 'password failed'
           AND detail ->> 'client_ip' = '203.0.113.9'),
          jsonb_build_object('user_id', :'alice', 'client_ip', '203.0.113.9'),
          'which says whose password, and from where');
SELECT is_empty('SELECT * FROM vrm_private.audit_journal', 'once');
SELECT throws_ok($$SELECT vrm.audit_journal('', NULL)$$, '22023', NULL, 'an event has a name');
SELECT is(pg_temp.as_user(:'alice', $$SELECT vrm.audit_journal('x', NULL)$$), '42501', 'users write no events');

-- rows that somebody takes away ------------------------------------------------------------------------

CREATE FUNCTION pg_temp.missing() RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM vrm.audit_verify() WHERE problem = 'entries of the journal are missing'
$$;
SELECT pg_temp.missing() AS before \gset
SELECT vrm.audit_journal('event ' || i, CASE i WHEN 2 THEN '[2]'::jsonb WHEN 3 THEN '3' END)
FROM generate_series(1, 5) AS i \g /dev/null
SELECT is(pg_temp.missing(), :before::bigint, 'what waits in the journal is not missing');
DELETE FROM vrm_private.audit_journal WHERE action = 'event 2';
SELECT is(pg_temp.missing(), :before + 1::bigint, 'what is taken away is');
SELECT vrm.audit_drain() \g /dev/null
SELECT is(pg_temp.missing(), :before + 1::bigint, 'also when the rest has been moved');
DELETE FROM vrm.audit_log WHERE action = 'event 5';
SELECT is(pg_temp.missing(), :before + 2::bigint, 'and when it was the last');

SELECT * FROM finish();
ROLLBACK;
