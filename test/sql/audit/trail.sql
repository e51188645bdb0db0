-- The audit trail: changed columns only, and who sees them.
BEGIN;
SELECT plan(31);
\ir ../include/people.sql
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

-- how they get there: below the executor, but with all that INSERT looks after ---------------------------

CREATE TABLE public.kinds (a smallint, b bigint, c varchar, d numeric, e jsonb, f jsonb, g timestamptz, h bytea);
SELECT vrm.audit_enable('public.kinds') \g /dev/null
SET LOCAL timezone = 'UTC';
INSERT INTO public.kinds VALUES (-1, 9223372036854775807, 'c', 'NaN', '"x"', '[1, {"y": null}]', '2026-01-01 00:00+00', '\x00ff');
SELECT is((SELECT new FROM vrm.audit_log WHERE relation = 'public.kinds'),
          '{"a": -1, "b": 9223372036854775807, "c": "c", "d": "NaN", "e": "x", "f": [1, {"y": null}], "g": "2026-01-01 00:00:00+00", "h": "\\x00ff"}',
          'numbers, booleans and documents stay what they are; the rest is text');
SELECT is((SELECT count(*) FROM vrm.audit_log WHERE relation = 'public.kinds' AND db_role = session_user AND detail IS NULL
           AND era = 1 AND xid = pg_current_xact_id() AND at BETWEEN now() AND clock_timestamp()), 1::bigint, 'the rest of an entry has its defaults');
ALTER TABLE vrm.audit_log ADD COLUMN extra text NOT NULL DEFAULT 'mine';
ALTER TABLE vrm.audit_log ALTER COLUMN extra SET DEFAULT 'new';
CREATE FUNCTION pg_temp.written(change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    before timestamptz := clock_timestamp();
BEGIN
    EXECUTE change;
    RETURN (SELECT string_agg(to_jsonb(l) ->> 'extra' || ' ' || regexp_replace(l.tableoid::regclass::text, '_2\d+.*', ''), ', ')
            FROM vrm.audit_log l WHERE l.at >= before);
END
$$;
SELECT vrm.audit_maintain() \g /dev/null
SELECT is(pg_temp.written('UPDATE public.kinds SET a = 1'), 'new vrm_private.audit_data', 'so has a column that was added meanwhile');
SELECT format('vrm_private.audit_data_%s', to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM_DD')) AS today \gset
ALTER TABLE vrm_private.audit_data DETACH PARTITION :today;
SELECT is(pg_temp.written('UPDATE public.kinds SET a = 2'), 'new vrm_private.audit_data_rest', 'without a partition for the day they go to the rest');
ALTER TABLE vrm.audit_log ADD CONSTRAINT few CHECK (relation <> 'public.kinds') NOT VALID;
SELECT throws_ok('UPDATE public.kinds SET a = 3', '23514', NULL, 'constraints hold');
ALTER TABLE vrm.audit_log DROP CONSTRAINT few;
CREATE FUNCTION pg_temp.mark() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.extra := 'marked'; RETURN NEW; END$$;
CREATE TRIGGER mark BEFORE INSERT ON vrm_private.audit_data_rest FOR EACH ROW EXECUTE FUNCTION pg_temp.mark();
SELECT is(pg_temp.written('UPDATE public.kinds SET a = 4'), 'marked vrm_private.audit_data_rest', 'and triggers that somebody has put there fire');
DROP TRIGGER mark ON vrm_private.audit_data_rest;
SELECT is(pg_temp.written('UPDATE public.kinds SET a = 5'), 'new vrm_private.audit_data_rest', 'until they are gone');
CREATE INDEX also ON vrm_private.audit_data_rest USING hash (relation);
SELECT is(pg_temp.written('UPDATE public.kinds SET a = 55'), 'new vrm_private.audit_data_rest', 'an index of another kind');
SET LOCAL enable_seqscan = off;
SELECT is((SELECT count(*) FROM vrm_private.audit_data_rest WHERE relation = 'public.kinds' AND new -> 'a' = '55'), 1::bigint, 'has the entry, too');
RESET enable_seqscan;
-- A foreign server cannot have them while ids are unique; a DBA who gives that up gets what INSERT gives.
CREATE EXTENSION IF NOT EXISTS postgres_fdw;
CREATE SERVER audit_elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '/nowhere');
CREATE USER MAPPING FOR current_user SERVER audit_elsewhere;
SELECT format('CREATE FOREIGN TABLE elsewhere PARTITION OF vrm_private.audit_data FOR VALUES FROM (%L) TO (%L) SERVER audit_elsewhere',
              date_trunc('day', now()), date_trunc('day', now()) + interval '1 day') AS foreign_day \gset
SAVEPOINT s;
TRUNCATE vrm_private.audit_data_rest;
SELECT throws_ok(:'foreign_day', '42809', NULL, 'ids are unique, so no day is kept on another server');
ALTER TABLE vrm.audit_log DROP CONSTRAINT audit_log_pkey;
:foreign_day;
SELECT throws_ok('UPDATE public.kinds SET a = 57', '08001', NULL, 'unless they are not: then its server is asked');
ROLLBACK TO SAVEPOINT s;
CREATE TEMP TABLE passing (id int);
SELECT vrm.audit_enable('passing') \g /dev/null
SELECT throws_ok('SET LOCAL transaction_read_only = on; INSERT INTO passing VALUES (1)', '25006', NULL, 'a read-only transaction writes none');
SAVEPOINT s;
UPDATE public.kinds SET a = 6;
ROLLBACK TO SAVEPOINT s;
SELECT is((SELECT count(*) FROM vrm.audit_log WHERE new -> 'a' = '6'), 0::bigint, 'what is rolled back has not happened');
SELECT is(pg_temp.written('UPDATE public.kinds SET a = 7'), 'new vrm_private.audit_data_rest', 'what follows has');

-- events, and who sees them -----------------------------------------------------------------------------

SELECT isnt(vrm.audit_event('tested', '{"by": "us"}'), NULL, 'an event is written');
SELECT is((SELECT class || ' ' || (detail ->> 'by') FROM vrm.audit_log WHERE action = 'tested'), 'security us', 'and kept for a year');
SELECT is(pg_temp.as_user(:'alice', 'SELECT count(*) FROM vrm.audit_log'), '0', 'users do not see it');
SELECT cmp_ok(pg_temp.as_user(:'root', 'SELECT count(*) FROM vrm.audit_log')::int, '>=', 4, 'administrators do');
SELECT is(pg_temp.as_user(:'root', 'DELETE FROM vrm.audit_log'), '42501', 'and delete nothing');
SELECT is(pg_temp.as_role('service_role', NULL, 'UPDATE vrm.audit_log SET actor = NULL'), '42501', 'the service changes nothing');

-- midnight --------------------------------------------------------------------------------------------

SELECT format('DROP TABLE %s', inhrelid::regclass) FROM pg_inherits WHERE inhparent = 'vrm_private.audit_data'::regclass \gexec
SELECT clock_timestamp() + interval '100 ms' AS midnight \gset
CREATE TABLE public.before PARTITION OF vrm_private.audit_data FOR VALUES FROM ('-infinity') TO (:'midnight');
CREATE TABLE public.after PARTITION OF vrm_private.audit_data FOR VALUES FROM (:'midnight') TO ('infinity');
SELECT set_config('test.midnight', :'midnight', true) \g /dev/null
DO $$BEGIN LOOP
    UPDATE public.kinds SET a = (a + 1) % 100;
    EXIT WHEN clock_timestamp() > current_setting('test.midnight')::timestamptz;
END LOOP; END$$;
UPDATE public.kinds SET a = 100;
SELECT is((SELECT count(*) FROM public.before WHERE at >= :'midnight'), 0::bigint, 'when the day is over');
SELECT isnt_empty('TABLE public.after', 'they go to the next, in the middle of a transaction, too');
DROP TABLE public.before, public.after;
CREATE TABLE vrm_private.audit_data_rest PARTITION OF vrm_private.audit_data DEFAULT;

SELECT * FROM finish();
ROLLBACK;
