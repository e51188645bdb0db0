-- The audit trail: changed columns only, sealed by batches; whoever tampers is told where.
BEGIN;
SELECT plan(38);
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
SELECT is((SELECT concat_ws(' ', class, action, actor, relation, old, new) FROM vrm.audit_log WHERE action = 'INSERT'),
          'data INSERT ' || :'alice' || ' public.thing {"id": 1, "doc": {"a": 1}, "flag": true, "name": "a \"name\"", "secret": "redacted"}',
          'it is written down, but for what is excluded or redacted');
UPDATE public.thing SET name = 'b', flag = NULL, doc = '{"a": 1}';
SELECT is((SELECT concat_ws(' ', old, new) FROM vrm.audit_log WHERE action = 'UPDATE'),
          '{"flag": true, "name": "a \"name\""} {"flag": null, "name": "b"}', 'of an update the columns that have changed');
UPDATE public.thing SET noise = 'y';
SELECT is((SELECT count(*) FROM vrm.audit_log WHERE action = 'UPDATE'), 1::bigint, 'of nothing, nothing');
DELETE FROM public.thing;
SELECT is((SELECT concat_ws(' ', old ->> 'name', new) FROM vrm.audit_log WHERE action = 'DELETE'), 'b', 'of a deletion the row');
SELECT lives_ok($$SELECT vrm.audit_disable('public.thing')$$, 'until it is no longer');
INSERT INTO public.thing VALUES (2);
SELECT is((SELECT count(*) FROM vrm.audit_log WHERE action = 'INSERT'), 1::bigint, 'then nothing is written');

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

-- seals -----------------------------------------------------------------------------------------------------

SELECT cmp_ok(vrm.audit_seal(), '>=', 4::bigint, 'what was written is sealed');
SELECT is(vrm.audit_seal(), 0::bigint, 'once');
SELECT vrm.audit_event('event ' || i) FROM generate_series(1, 5) i \g /dev/null
SELECT is(vrm.audit_seal(), 5::bigint, 'then what has come since');
SELECT vrm.audit_event('the last');
SELECT vrm.audit_seal();
SELECT vrm.audit_head() AS head \gset
SELECT is_empty('SELECT * FROM vrm.audit_verify()', 'nothing is wrong');
SELECT is_empty(format('SELECT * FROM vrm.audit_verify(%L)', :'head'), 'and nothing is missing');
CREATE FUNCTION pg_temp.proven(entry uuid) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    p record;
    node bytea;
BEGIN
    SELECT * INTO p FROM vrm.audit_proof(entry);
    node := p.leaf;
    FOR i IN 1 .. cardinality(p.path) LOOP
        node := sha256('\x01'::bytea || CASE WHEN p.left_sides[i] THEN p.path[i] || node ELSE node || p.path[i] END);
    END LOOP;
    RETURN node = p.root;
END
$$;
SELECT ok((SELECT bool_and(pg_temp.proven(id)) FROM vrm.audit_log), 'every entry has a proof');
SELECT is(vrm_private.audit_root(ARRAY['\x01', '\x02', '\x03']::bytea[]),
          sha256('\x01'::bytea || sha256('\x010102'::bytea) || '\x03'::bytea), 'the tree is that of RFC 6962');

-- tampering: what verify says of `statement`, which is then undone --------------------------------------------

CREATE FUNCTION pg_temp.found(statement text, head text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    said text;
BEGIN
    BEGIN
        EXECUTE statement;
        SELECT string_agg(DISTINCT concat_ws(' ', problem, seal_id), ', ' ORDER BY concat_ws(' ', problem, seal_id)) INTO said
        FROM vrm.audit_verify(head);
        RAISE EXCEPTION 'undo' USING ERRCODE = 'ZZ000';
    EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
        RETURN said;
    END;
END
$$;
SELECT is(pg_temp.found($$UPDATE vrm.audit_log SET detail = '{"by": "them"}' WHERE action = 'tested'$$), 'entry was changed 1', 'a changed entry');
SELECT is(pg_temp.found($$UPDATE vrm.audit_log SET actor = NULL WHERE action = 'INSERT'$$), 'entry was changed 1', 'a changed actor');
SELECT is(pg_temp.found($$UPDATE vrm.audit_log SET at = at - interval '1 hour' WHERE action = 'event 3'$$), 'entry is missing 2', 'another time');
SELECT is(pg_temp.found($$DELETE FROM vrm.audit_log WHERE action = 'event 3'$$), 'entry is missing 2', 'a deleted entry');
SELECT is(pg_temp.found($$INSERT INTO vrm.audit_log (class, at, action) VALUES ('security', now() - interval '2 days', 'made up')$$),
          'entry was added after the seal', 'an entry that is made up');
SELECT is(pg_temp.found($$UPDATE vrm_private.audit_leaves SET hash = sha256('x') WHERE seal_id = 2 AND position = 0$$),
          'entry was changed 2, leaves of the seal were changed 2', 'a changed leaf');
SELECT is(pg_temp.found($$UPDATE vrm_private.audit_seals SET root = sha256('x') WHERE id = 2$$),
          'leaves of the seal were changed 2, seal was changed, or the one before it 2', 'a changed seal');
SELECT is(pg_temp.found($$DELETE FROM vrm_private.audit_leaves WHERE seal_id = 3; DELETE FROM vrm_private.audit_seals WHERE id = 3;
                          DELETE FROM vrm.audit_log WHERE action = 'the last'$$, :'head'), 'seals were cut off 3', 'seals that were cut off');
SELECT is_empty(format('SELECT * FROM vrm.audit_verify(%L)', :'head'), 'all of that was undone');

SELECT * FROM finish();
ROLLBACK;
