-- The audit trail: changed columns only, and who sees them.
BEGIN;
SELECT plan(54);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('root@example.org') AS root \gset
UPDATE vrm.user_profiles SET role = 'admin' WHERE id = :'root';

-- rows -----------------------------------------------------------------------------------------------

CREATE TABLE public.thing (id int PRIMARY KEY, name text, flag boolean, doc jsonb, secret text, noise text, gone int);
ALTER TABLE public.thing DROP COLUMN gone;
GRANT ALL ON public.thing TO authenticated;
SELECT lives_ok($$SELECT vrm.audit_enable('public.thing', '{noise}', '{secret}')$$, 'a table is audited');
SELECT throws_ok($$SELECT vrm.audit_enable('public.thing', '{nothing}')$$, '42703', NULL, 'columns have to be there');
SELECT throws_ok(statement, code, message, 'an argument that cannot be is named: ' || statement)
FROM (VALUES ('SELECT vrm.audit_enable(NULL)', '22004', 'rel must not be null'),
             ('SELECT vrm.audit_enable(''public.thing'', NULL)', '22004', 'exclude must not be null'),
             ('SELECT vrm.audit_enable(''public.thing'', redact => ''{NULL}'')', '22004', 'redact must not be null'),
             ('SELECT vrm.audit_disable(NULL)', '22004', 'rel must not be null'),
             ('SELECT vrm.audit_event(NULL)', '22023', 'action must be a text of 1 to 100 characters'),
             ('SELECT vrm.audit_event('''')', '22023', 'action must be a text of 1 to 100 characters'),
             ('SELECT vrm.audit_event(repeat(''x'', 101), ''{"a": 1}'')', '22023',
              'action must be a text of 1 to 100 characters')) AS t (statement, code, message);
SELECT is(pg_temp.as_user(:'alice',
                          $$INSERT INTO public.thing VALUES (1, 'a "name"', true, '{"a": 1}', 'hush', 'x')
                          RETURNING 1$$), '1', 'a user inserts');
SELECT is((SELECT concat_ws(' ', class, action, actor, relation, old, new) FROM vrm.audit_log WHERE action = 'INSERT'
           AND relation = 'public.thing'),
          'data INSERT ' || :'alice'
          || ' public.thing {"id": 1, "doc": {"a": 1}, "flag": true, "name": "a \"name\"", "secret": "redacted"}',
          'it is written down, but for what is excluded or redacted');
UPDATE public.thing SET name = 'b', flag = NULL, doc = '{"a": 1}';
SELECT is((SELECT concat_ws(' ', old, new) FROM vrm.audit_log WHERE action = 'UPDATE' AND relation = 'public.thing'),
          '{"flag": true, "name": "a \"name\""} {"flag": null, "name": "b"}',
          'of an update the columns that have changed');
UPDATE public.thing SET noise = 'y';
SELECT is((SELECT count(*) FROM vrm.audit_log WHERE action = 'UPDATE' AND relation = 'public.thing'), 1::bigint,
          'of nothing, nothing');
DELETE FROM public.thing;
SELECT is((SELECT concat_ws(' ', old ->> 'name', new) FROM vrm.audit_log WHERE action = 'DELETE'
           AND relation = 'public.thing'), 'b', 'of a deletion the row');
SELECT lives_ok($$SELECT vrm.audit_disable('public.thing')$$, 'until it is no longer');
INSERT INTO public.thing VALUES (2);
SELECT is((SELECT count(*) FROM vrm.audit_log WHERE action = 'INSERT' AND relation = 'public.thing'), 1::bigint,
          'then nothing is written');

-- columns that are renamed ----------------------------------------------------------------------------

CREATE FUNCTION pg_temp.last_entry() RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', relation, old, new) FROM vrm.audit_log WHERE class = 'data' ORDER BY id DESC LIMIT 1
$$;
CREATE TABLE public.hushed (id int, "pass\word" text, noise text, other text) PARTITION BY LIST (id);
CREATE TABLE public.hushed_1 PARTITION OF public.hushed FOR VALUES IN (1);
CREATE ROLE vrm_test_owner;
GRANT CREATE, USAGE ON SCHEMA public TO vrm_test_owner;
ALTER TABLE public.hushed OWNER TO vrm_test_owner;
ALTER TABLE public.hushed_1 OWNER TO vrm_test_owner;
SELECT vrm.audit_enable('public.hushed', '{noise}', ARRAY['pass\word']);
INSERT INTO public.hushed VALUES (1, 'a secret', 'x', 'y');
SET LOCAL ROLE vrm_test_owner;
ALTER TABLE public.hushed RENAME "pass\word" TO passphrase;
ALTER TABLE public.hushed RENAME noise TO "büro";
RESET ROLE;
UPDATE public.hushed SET passphrase = 'another secret', "büro" = 'z';
SELECT is(pg_temp.last_entry(), 'public.hushed_1 {"passphrase": "redacted"} {"passphrase": "redacted"}',
          'a column that is renamed is redacted, or left out, under its new name');
ALTER TABLE public.hushed ADD column new_phrase text;
UPDATE public.hushed SET new_phrase = 'public';
SELECT is(pg_temp.last_entry(), 'public.hushed_1 {"new_phrase": null} {"new_phrase": "public"}',
          'others are not');
ALTER TABLE public.hushed DROP column passphrase;
ALTER TABLE public.hushed RENAME other TO another;
UPDATE public.hushed SET another = 'seen';
SELECT is(pg_temp.last_entry(), 'public.hushed_1 {"another": "y"} {"another": "seen"}',
          'nor one that is renamed when the redacted one is gone');
ALTER TABLE public.hushed RENAME new_phrase TO passphrase;
UPDATE public.hushed SET passphrase = 'a new secret';
SELECT is(pg_temp.last_entry(), 'public.hushed_1 {"passphrase": "redacted"} {"passphrase": "redacted"}',
          'but one that takes its place');
ALTER TABLE public.hushed_1 DISABLE TRIGGER vrm_audit;
ALTER TABLE public.hushed ENABLE ALWAYS TRIGGER vrm_audit;
ALTER TABLE public.hushed RENAME passphrase TO phrase;
SELECT is((SELECT tgenabled FROM pg_trigger WHERE tgrelid = 'public.hushed'::regclass AND tgname = 'vrm_audit'),
          'A'::"char", 'a trigger stays enabled as it was');
ALTER TABLE public.hushed ENABLE TRIGGER vrm_audit;
UPDATE public.hushed SET phrase = 'the last';
SELECT is(pg_temp.last_entry(), 'public.hushed_1 {"phrase": "redacted"} {"phrase": "redacted"}',
          'renamed once more');

-- columns that are computed when they are read ------------------------------------------------------

-- Before PostgreSQL 18 there are none; with this letter in the catalog a row holds nothing of them either.
SELECT CASE WHEN current_setting('server_version_num')::int >= 180000 THEN 'VIRTUAL' ELSE 'STORED' END AS kind \gset
CREATE TABLE public.computed (
    id int PRIMARY KEY, gone int, price numeric, "day x" date, secret text,
    total numeric GENERATED ALWAYS AS (price * 1.19) :kind, next date GENERATED ALWAYS AS ("day x" + 1) :kind,
    hush text GENERATED ALWAYS AS (upper(secret)) :kind);
ALTER TABLE public.computed DROP COLUMN gone;
UPDATE pg_attribute SET attgenerated = 'v' WHERE attrelid = 'public.computed'::regclass AND attgenerated = 's';
SELECT vrm.audit_enable('public.computed', redact => '{secret,hush}');
GRANT ALL ON public.computed TO authenticated;
SET LOCAL datestyle = 'German';
SELECT pg_temp.as_user(:'alice', $$INSERT INTO public.computed (id, price, "day x", secret)
                                   VALUES (1, 10, '31.12.2026', 'x') RETURNING 1$$) \g /dev/null
UPDATE public.computed SET price = 20;
DELETE FROM public.computed;
RESET datestyle;
CREATE FUNCTION pg_temp.computed(what text) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', old, new) FROM vrm.audit_log WHERE relation = 'public.computed' AND action = what
$$;
SELECT is(pg_temp.computed('INSERT'), '{"id": 1, "hush": "redacted", "next": "2027-01-01", "day x": "2026-12-31", '
                                      '"price": "10", "total": "11.90", "secret": "redacted"}',
          'virtual columns are written down with their values');
SELECT is(pg_temp.computed('UPDATE'), '{"price": "10", "total": "11.90"} {"price": "20", "total": "23.80"}',
          'of an update those that have changed');
SELECT is(pg_temp.computed('DELETE'), '{"id": 1, "hush": "redacted", "next": "2027-01-01", "day x": "2026-12-31", '
                                      '"price": "20", "total": "23.80", "secret": "redacted"}',
          'and of a deletion all');

-- TRUNCATE ---------------------------------------------------------------------------------------------

CREATE TABLE public.emptied (id int, PRIMARY KEY (id)) PARTITION BY LIST (id);
CREATE TABLE public.emptied_one PARTITION OF public.emptied FOR VALUES IN (1);
SELECT vrm.audit_enable('public.emptied') \g /dev/null
TRUNCATE public.emptied_one;
SELECT is((SELECT string_agg(relation, ' ') FROM vrm.audit_log WHERE action = 'TRUNCATE'), 'public.emptied_one',
          'a partition that is emptied is in the trail');
CREATE TABLE public.emptied_two PARTITION OF public.emptied FOR VALUES IN (2);
SELECT vrm.audit_maintain() \g /dev/null
TRUNCATE public.emptied;
SELECT is((SELECT string_agg(relation, ' ' ORDER BY relation) FROM vrm.audit_log WHERE action = 'TRUNCATE'),
          'public.emptied public.emptied_one public.emptied_one public.emptied_two', 'so are all, those of later, too');
SELECT vrm.audit_disable('public.emptied') \g /dev/null
TRUNCATE public.emptied;
SELECT is((SELECT count(*) FROM vrm.audit_log WHERE action = 'TRUNCATE'), 4::bigint, 'until it is no longer');

-- settings of the session --------------------------------------------------------------------------------

CREATE SCHEMA hidden;
CREATE TYPE hidden.pair AS (amount real, held interval);
CREATE TABLE hidden.kinds (id int PRIMARY KEY, a float8, b timestamptz, c date, d interval, e bytea,
                           f regclass, g float4[],
                            h hidden.pair, i money);
INSERT INTO hidden.kinds VALUES (1, 1000.25, '2026-01-02 03:04:05.678+00', '2026-01-02', '1 day 02:03', '\x00ff',
                                  'hidden.kinds', '{0.1}', '(0.1,"-1 day")', '1.5');
SELECT vrm.audit_enable('hidden.kinds') \g /dev/null
DELETE FROM hidden.kinds WHERE id = 1 RETURNING 1 \g /dev/null
SELECT old AS plain FROM vrm.audit_log WHERE relation = 'hidden.kinds' \gset
SELECT is(:'plain'::jsonb ->> 'f', 'hidden.kinds', 'a name has its schema');
SELECT current_setting('search_path') AS path \gset
SET LOCAL search_path = hidden, vrm, public;
SET LOCAL datestyle = 'SQL, DMY';
SET LOCAL intervalstyle = 'sql_standard';
SET LOCAL extra_float_digits = -15;
SET LOCAL bytea_output = 'escape';
SET LOCAL timezone = 'Asia/Kathmandu';
SET LOCAL quote_all_identifiers = on;
INSERT INTO hidden.kinds VALUES (1, 1000.25, '2026-01-02 03:04:05.678+00', '02/01/2026', '1 day 02:03', '\x00ff',
                                  'hidden.kinds', '{0.1}', '(0.1,"-1 day")', '1.5');
UPDATE hidden.kinds SET a = 1000.75;
SELECT concat_ws(' ', current_setting('datestyle'), current_setting('timezone'),
                 current_setting('search_path')) AS kept \gset
SELECT set_config('search_path', :'path', true) \g /dev/null
RESET datestyle;
RESET intervalstyle;
RESET extra_float_digits;
RESET bytea_output;
RESET timezone;
RESET quote_all_identifiers;
SELECT is((SELECT new FROM vrm.audit_log WHERE relation = 'hidden.kinds' AND action = 'INSERT'), :'plain'::jsonb,
          'values are written the same whatever the session has set');
SELECT is(:'kept'::text, 'SQL, DMY Asia/Kathmandu hidden, vrm, public', 'which it keeps');
SELECT is((SELECT new ->> 'a' FROM vrm.audit_log WHERE relation = 'hidden.kinds' AND action = 'UPDATE'), '1000.75',
          'and no change is too small');

-- how they get there: below the executor, but with all that INSERT looks after ---------------------------

CREATE TABLE public.kinds (a smallint, b bigint, c varchar, d numeric, e jsonb, f jsonb, g timestamptz, h bytea);
SELECT vrm.audit_enable('public.kinds') \g /dev/null
SET LOCAL timezone = 'UTC';
INSERT INTO public.kinds VALUES (-1, 9223372036854775807, 'c', 'NaN', '"x"', '[1, {"y": null}]', '2026-01-01 00:00+00',
                                 '\x00ff');
SELECT is((SELECT new FROM vrm.audit_log WHERE relation = 'public.kinds'),
          '{"a": -1, "b": 9223372036854775807, "c": "c", "d": "NaN", "e": "x", "f": [1, {"y": null}], "g": "2026-01-01 '
          '00:00:00+00", "h": "\\x00ff"}',
          'numbers, booleans and documents stay what they are; the rest is text');
SELECT is((SELECT count(*) FROM vrm.audit_log WHERE relation = 'public.kinds' AND db_role = session_user
           AND detail IS NULL
           AND era = 1 AND xid = pg_current_xact_id() AND at BETWEEN now() AND clock_timestamp()), 1::bigint,
           'the rest of an entry has its defaults');
ALTER TABLE vrm.audit_log ADD COLUMN extra text NOT NULL DEFAULT 'mine';
ALTER TABLE vrm.audit_log ALTER COLUMN extra SET DEFAULT 'new';
CREATE FUNCTION pg_temp.written(change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    before timestamptz := clock_timestamp();
BEGIN
    EXECUTE change;
    RETURN (SELECT string_agg(to_jsonb(l) ->> 'extra' || ' ' || regexp_replace(l.tableoid::regclass::text, '_2\d+.*',
        ''), ', ')
            FROM vrm.audit_log l WHERE l.at >= before);
END
$$;
SELECT vrm.audit_maintain() \g /dev/null
SELECT is(pg_temp.written('UPDATE public.kinds SET a = 1'), 'new vrm_private.audit_data',
          'so has a column that was added meanwhile');
SELECT format('vrm_private.audit_data_%s', to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM_DD')) AS today \gset
ALTER TABLE vrm_private.audit_data DETACH PARTITION :today;
SELECT is(pg_temp.written('UPDATE public.kinds SET a = 2'), 'new vrm_private.audit_data_rest',
          'without a partition for the day they go to the rest');
ALTER TABLE vrm.audit_log ADD CONSTRAINT few CHECK (relation <> 'public.kinds') NOT VALID;
SELECT throws_ok('UPDATE public.kinds SET a = 3', '23514', NULL, 'constraints hold');
ALTER TABLE vrm.audit_log DROP CONSTRAINT few;
CREATE FUNCTION pg_temp.mark() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.extra := 'marked'; RETURN NEW; END$$;
CREATE TRIGGER mark BEFORE INSERT ON vrm_private.audit_data_rest FOR EACH ROW EXECUTE FUNCTION pg_temp.mark();
SELECT is(pg_temp.written('UPDATE public.kinds SET a = 4'), 'marked vrm_private.audit_data_rest',
          'and triggers that somebody has put there fire');
DROP TRIGGER mark ON vrm_private.audit_data_rest;
SELECT is(pg_temp.written('UPDATE public.kinds SET a = 5'), 'new vrm_private.audit_data_rest', 'until they are gone');
CREATE INDEX also ON vrm_private.audit_data_rest USING hash (relation);
SELECT is(pg_temp.written('UPDATE public.kinds SET a = 55'), 'new vrm_private.audit_data_rest',
          'an index of another kind');
SET LOCAL enable_seqscan = off;
SELECT is((SELECT count(*) FROM vrm_private.audit_data_rest WHERE relation = 'public.kinds' AND new -> 'a' = '55'),
          1::bigint, 'has the entry, too');
RESET enable_seqscan;
-- A foreign server cannot have them while ids are unique; a DBA who gives that up gets what INSERT gives.
CREATE EXTENSION IF NOT EXISTS postgres_fdw;
CREATE SERVER audit_elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '/nowhere');
CREATE USER MAPPING FOR current_user SERVER audit_elsewhere;
SELECT format('CREATE FOREIGN TABLE elsewhere PARTITION OF vrm_private.audit_data FOR VALUES FROM (%L) TO (%L) SERVER '
              'audit_elsewhere',
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
SELECT throws_ok('SET LOCAL transaction_read_only = on; INSERT INTO passing VALUES (1)', '25006', NULL,
                 'a read-only transaction writes none');
SAVEPOINT s;
UPDATE public.kinds SET a = 6;
ROLLBACK TO SAVEPOINT s;
SELECT is((SELECT count(*) FROM vrm.audit_log WHERE new -> 'a' = '6'), 0::bigint,
          'what is rolled back has not happened');
SELECT is(pg_temp.written('UPDATE public.kinds SET a = 7'), 'new vrm_private.audit_data_rest', 'what follows has');

-- events, and who sees them -----------------------------------------------------------------------------

SELECT isnt(vrm.audit_event('tested', '{"by": "us"}'), NULL, 'an event is written');
SELECT is((SELECT class || ' ' || (detail ->> 'by') FROM vrm.audit_log WHERE action = 'tested'), 'security us',
          'and kept for a year');
SELECT is(pg_temp.as_user(:'alice', 'SELECT count(*) FROM vrm.audit_log'), '0', 'users do not see it');
SELECT cmp_ok(pg_temp.as_user(:'root', 'SELECT count(*) FROM vrm.audit_log')::int, '>=', 4, 'administrators do');
SELECT is(pg_temp.as_user(:'root', 'DELETE FROM vrm.audit_log'), '42501', 'and delete nothing');
SELECT is(pg_temp.as_role('service_role', NULL, 'UPDATE vrm.audit_log SET actor = NULL'), '42501',
          'the service changes nothing');

-- midnight --------------------------------------------------------------------------------------------

SELECT format('DROP TABLE %s', inhrelid::regclass) FROM pg_inherits
    WHERE inhparent = 'vrm_private.audit_data'::regclass \gexec
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
