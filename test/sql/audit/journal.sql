-- The journal: what no ROLLBACK takes back.
BEGIN;
SELECT plan(7);
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
SELECT is((SELECT concat_ws(' ', class, db_role, detail) FROM vrm.audit_log WHERE action = 'undone'), 'security postgres {"by": "them"}', 'to the trail');
SELECT is((SELECT detail - 'key' FROM vrm.audit_log WHERE action = 'password failed' AND detail ->> 'client_ip' = '203.0.113.9'),
          jsonb_build_object('user_id', :'alice', 'client_ip', '203.0.113.9'), 'which says whose password, and from where');
SELECT is_empty('SELECT * FROM vrm_private.audit_journal', 'once');
SELECT throws_ok($$SELECT vrm.audit_journal('', NULL)$$, '22023', NULL, 'an event has a name');
SELECT is(pg_temp.as_user(:'alice', $$SELECT vrm.audit_journal('x', NULL)$$), '42501', 'users write no events');

SELECT * FROM finish();
ROLLBACK;
