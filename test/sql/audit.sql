-- The audit trail: changed columns only, and what no ROLLBACK takes back.
BEGIN;
SELECT plan(22);
\ir include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('root@example.org') AS root \gset
UPDATE vrm.user_profiles SET role = 'admin' WHERE id = :'root';

-- rows -----------------------------------------------------------------------------------------------

CREATE TABLE public.thing (id int PRIMARY KEY, name text, flag boolean, doc jsonb, secret text, noise text, gone int);
ALTER TABLE public.thing DROP COLUMN gone;
GRANT ALL ON public.thing TO authenticated;
SELECT lives_ok($$SELECT vrm.audit_enable('public.thing', '{noise}', '{secret}')$$, 'a table is audited');
SELECT throws_ok($$SELECT vrm.audit_enable('public.thing', '{nothing}')$$, '42703', NULL, 'columns have to be there');
SELECT is(pg_temp.as_user(:'alice', $$INSERT INTO public.thing VALUES (1, 'a "name"', true, '{"a": 1}', 'hush', 'x') RETURNING 1$$), '1', 'a user inserts');
SELECT is((SELECT concat_ws(' ', class, action, actor, relation, old, new) FROM vrm.audit_log WHERE action = 'INSERT' AND relation = 'public.thing'),
          'data INSERT ' || :'alice' || ' public.thing {"id": 1, "doc": {"a": 1}, "flag": true, "name": "a \"name\"", "secret": "redacted"}',
          'it is written down, but for what is excluded or redacted');
UPDATE public.thing SET name = 'b', flag = NULL, doc = '{"a": 1}';
SELECT is((SELECT concat_ws(' ', old, new) FROM vrm.audit_log WHERE action = 'UPDATE' AND relation = 'public.thing'),
          '{"flag": true, "name": "a \"name\""} {"flag": null, "name": "b"}', 'of an update the columns that have changed');
UPDATE public.thing SET noise = 'y';
SELECT is((SELECT count(*) FROM vrm.audit_log WHERE action = 'UPDATE' AND relation = 'public.thing'), 1::bigint, 'of nothing, nothing');
DELETE FROM public.thing;
SELECT is((SELECT concat_ws(' ', old ->> 'name', new) FROM vrm.audit_log WHERE action = 'DELETE' AND relation = 'public.thing'), 'b', 'of a deletion the row');
SELECT lives_ok($$SELECT vrm.audit_disable('public.thing')$$, 'until it is no longer');
INSERT INTO public.thing VALUES (2);
SELECT is((SELECT count(*) FROM vrm.audit_log WHERE action = 'INSERT' AND relation = 'public.thing'), 1::bigint, 'then nothing is written');

-- events, and who sees them -----------------------------------------------------------------------------

SELECT isnt(vrm.audit_event('tested', '{"by": "us"}'), NULL, 'an event is written');
SELECT is((SELECT class || ' ' || (detail ->> 'by') FROM vrm.audit_log WHERE action = 'tested'), 'security us', 'and kept for a year');
SELECT is(pg_temp.as_user(:'alice', 'SELECT count(*) FROM vrm.audit_log'), '0', 'users do not see it');
SELECT cmp_ok(pg_temp.as_user(:'root', 'SELECT count(*) FROM vrm.audit_log')::int, '>=', 4, 'administrators do');
SELECT is(pg_temp.as_user(:'root', 'DELETE FROM vrm.audit_log'), '42501', 'and delete nothing');
SELECT is(pg_temp.as_role('service_role', NULL, 'UPDATE vrm.audit_log SET actor = NULL'), '42501', 'the service changes nothing');

-- what no ROLLBACK takes back --------------------------------------------------------------------------------

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
