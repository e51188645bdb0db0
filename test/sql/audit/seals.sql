-- Seals of the audit trail: whoever tampers is told where.  Only what is committed can be sealed, so
-- these tests are no transaction; what they write stays.
SELECT plan(34);
CREATE TABLE public.sealed_thing (id int PRIMARY KEY, name text);
SELECT vrm.audit_enable('public.sealed_thing') \g /dev/null
INSERT INTO public.sealed_thing VALUES (1, 'a "name"');
SELECT vrm.audit_event('sealed', '{"by": "us"}') \g /dev/null
-- As after a restore from a cluster that is far ahead and had sealed nothing yet.
UPDATE vrm.audit_log SET xid = '9000000000000' WHERE action = 'INSERT';

-- Seals until so many entries are sealed: a transaction that began before, such as one of a test in
-- another database, holds it up.
CREATE FUNCTION pg_temp.seal(wanted bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    sealed bigint := 0;
BEGIN
    FOR i IN 1 .. 6000 LOOP
        sealed := sealed + vrm.audit_seal();
        EXIT WHEN sealed >= wanted;
        PERFORM pg_sleep(0.05);
    END LOOP;
    RETURN sealed;
END
$$;

SELECT cmp_ok(pg_temp.seal(2), '>=', 2::bigint, 'what was written is sealed');
SELECT is(vrm.audit_seal(), 0::bigint, 'once');
SELECT vrm.audit_event('event ' || i) FROM generate_series(1, 5) i \g /dev/null
SELECT is(pg_temp.seal(5), 5::bigint, 'then what has come since');
BEGIN;
SELECT vrm.audit_event('my own') \g /dev/null
SELECT is(vrm.audit_seal(), 0::bigint, 'a transaction that runs is not sealed');
COMMIT;
SELECT is(pg_temp.seal(1), 1::bigint, 'but later');
SELECT vrm.audit_event('the last') \g /dev/null
SELECT is(pg_temp.seal(1), 1::bigint, 'and the last one');
SELECT vrm.audit_head() AS head \gset
SELECT is_empty('SELECT * FROM vrm.audit_verify()', 'nothing is wrong');
SELECT is_empty(format('SELECT * FROM vrm.audit_verify(%L)', :'head'), 'and nothing is missing');
SELECT throws_ok($$SELECT * FROM vrm.audit_verify('yesterday')$$, '22023', 'invalid head of the audit trail',
                 'what is no head is said to be none');
SELECT is((SELECT problem FROM vrm.audit_verify('7:' || repeat('0', 32))), 'seals were cut off',
          'another head is missed');
SELECT id AS last, id - 2 AS middle FROM vrm_private.audit_seals ORDER BY id DESC LIMIT 1 \gset
SELECT min(id) AS oldest FROM vrm_private.audit_seals \gset
SELECT s.id AS first FROM vrm_private.audit_seals s, vrm.audit_log a WHERE a.action = 'sealed'
    AND a.id = ANY (s.ids) \gset

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
SELECT throws_ok($$SELECT vrm.merkle_root('\x01')$$, '22023', NULL, 'a leaf has 32 bytes');
SELECT is(vrm.audit_leaf(ROW('ab'::text, NULL::text, 258::bigint)),
          sha256('\x00'::bytea || int8send(2) || 'ab'::bytea || int8send(-1) || int8send(8) || int8send(258)),
          'so is a leaf: columns after their sizes, under a prefix of their own');
SELECT is(vrm.merkle_root(sha256('a') || sha256('b') || sha256('c')),
          sha256('\x01'::bytea || sha256('\x01'::bytea || sha256('a') || sha256('b')) || sha256('c')),
          'the tree is that of RFC 6962');

-- tampering: what verify says of `statement`, which is then undone --------------------------------------------

CREATE FUNCTION pg_temp.found(statement text, head text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    said text;
BEGIN
    BEGIN
        EXECUTE statement;
        SELECT string_agg(DISTINCT concat_ws(' ', problem, seal_id),
                          ', ' ORDER BY concat_ws(' ', problem, seal_id)) INTO said
        FROM vrm.audit_verify(head);
        RAISE EXCEPTION 'undo' USING ERRCODE = 'ZZ000';
    EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
        RETURN said;
    END;
END
$$;
SELECT is(pg_temp.found($$UPDATE vrm.audit_log SET detail = '{"by": "them"}' WHERE action = 'sealed'$$),
          'entry was changed ' || :'first', 'a changed entry');
SELECT is(pg_temp.found($$UPDATE vrm.audit_log SET actor = vrm.uuid7() WHERE action = 'sealed'$$),
          'entry was changed ' || :'first', 'a changed actor');
SELECT is(pg_temp.found($$UPDATE vrm.audit_log SET at = at - interval '1 hour' WHERE action = 'event 3'$$),
          format('entry is older than the transaction that wrote it %s, entry was changed %s', :'oldest', :'middle'),
          'another time');
SELECT is(pg_temp.found($$INSERT INTO vrm.audit_log (class, at, action)
                          VALUES ('data', now() - interval '2 days', 'UPDATE')$$),
          'entry is older than the transaction that wrote it ' || :'oldest', 'an entry of the day before yesterday');
SELECT is(pg_temp.found($$INSERT INTO vrm.audit_log (class, at, action, detail)
                          VALUES ('security', now() - interval '2 days', 'signed in', '{"journal": 999999}')$$),
          'entry is older than the transaction that wrote it ' || :'oldest', 'one that says it comes from the journal');
SELECT is(pg_temp.found($$DELETE FROM vrm.audit_log WHERE action = 'event 3'$$), 'entry is missing ' || :'middle',
          'a deleted entry');
SELECT is(pg_temp.found($$INSERT INTO vrm.audit_log (class, action, xid) SELECT 'security', 'made up',
                        xid FROM vrm.audit_log WHERE action = 'sealed'$$),
          'entry was added after the seal', 'an entry that is made up');
SELECT is(pg_temp.found($$INSERT INTO vrm.audit_log (class, at, action, xid)
                          SELECT 'data', at, 'DELETE', xid FROM vrm.audit_log WHERE action = 'event 3'$$),
          'entry was added after the seal', 'also of a class of which the seal has nothing');
SELECT is(pg_temp.found($$INSERT INTO vrm.audit_log (class, at, action, xid)
                          SELECT 'data', at, 'DELETE', xid FROM vrm.audit_log WHERE action = 'event 3';
                          SELECT vrm.audit_seal()$$),
          'entry was added after the seal', 'which no later seal takes in');
SELECT matches(pg_temp.found(format($$INSERT INTO vrm.audit_log (class, at, action, era)
                                      VALUES ('security', now() - interval '2 days', 'signed in', %s)$$, era)),
               '^entry is of no transaction that there was', 'an entry of an era that there was not: ' || era)
FROM unnest('{0,2}'::integer[]) AS era;
SELECT is(pg_temp.found($$INSERT INTO vrm.audit_log (class, action, xid)
                          VALUES ('security', 'signed in', '9000000000000')$$),
          'entry is of no transaction that there was', 'or of a transaction that has not begun');
SELECT is(pg_temp.found($$INSERT INTO vrm.audit_log (class, at, id, action, xid)
                          SELECT class, at + interval '1 s', id, 'twin',
                          xid FROM vrm.audit_log WHERE action = 'sealed'$$),
          'entry was changed ' || :'first', 'and one that has the id of another');
SELECT is(pg_temp.found(format('UPDATE vrm_private.audit_seals SET leaves[1] = sha256(''x'') WHERE id = %s',
                               :'middle')),
          format('entry was changed %1$s, leaves of the seal were changed %1$s', :'middle'), 'a changed leaf');
SELECT is(pg_temp.found(format('UPDATE vrm_private.audit_seals SET ids = NULL, leaves = NULL WHERE id = %s', :'last')),
          'entry was added after the seal, leaves of the seal were changed ' || :'last', 'leaves that were removed');
SELECT is(pg_temp.found(format('UPDATE vrm_private.audit_seals SET root = sha256(''x'') WHERE id = %s', :'middle')),
          format('leaves of the seal were changed %1$s, seal was changed, or the one before it %1$s', :'middle'),
          'a changed seal');
SELECT is(pg_temp.found(format('UPDATE vrm_private.audit_seals SET horizon = ''3'' WHERE id = %s', :'last')),
          'seal was changed, or the one before it ' || :'last', 'a horizon that was moved');
SELECT is(pg_temp.found(format($$DELETE FROM vrm_private.audit_seals WHERE id = %s; DELETE FROM vrm.audit_log
                               WHERE action = 'the last'$$, :'last'), :'head'),
          'seals were cut off ' || :'last', 'seals that were cut off');
SELECT is(pg_temp.found(format('DELETE FROM vrm_private.audit_seals WHERE id = %s',
                               :'middle')) LIKE 'entry was added%, seal was changed, or the one before it %',
          true, 'a seal taken out of the chain');
SELECT is_empty(format('SELECT * FROM vrm.audit_verify(%L)', :'head'), 'all of that was undone');

SELECT vrm.audit_disable('public.sealed_thing') \g /dev/null
DROP TABLE public.sealed_thing;
SELECT * FROM finish();
