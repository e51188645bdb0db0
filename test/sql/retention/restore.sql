-- Calls come back whole, whatever a DBA has done to the columns of live and archived calls before and after.
BEGIN;
SELECT plan(26);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice \gset
CREATE FUNCTION pg_temp.old_call(owner uuid) RETURNS uuid LANGUAGE sql AS $$
    INSERT INTO vrm.test_runs (user_id, status, started_at, completed_at, time_limit)
    VALUES (owner, 'failed', now() - interval '3 years', now() - interval '3 years', 600) RETURNING id
$$;
-- Archives what is due and gives it back; tells how many calls came back.
CREATE FUNCTION pg_temp.there_and_back() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM vrm.archive_old_test_runs();
    RETURN vrm.restore_from_archive(ARRAY(SELECT id FROM vrm_private.test_runs_archive));
END
$$;

-- columns that the live table alone has: values are kept as exactly as a dump keeps them
SELECT pg_temp.old_call(:'alice') AS call \gset
ALTER TABLE vrm.test_runs ADD COLUMN ratio float8, ADD COLUMN half real, ADD COLUMN raw json, ADD COLUMN tree jsonb,
    ADD COLUMN none jsonb,
    ADD COLUMN list int[], ADD COLUMN words text[], ADD COLUMN day date, ADD COLUMN span interval,
        ADD COLUMN bits bytea, ADD COLUMN place point,
    ADD COLUMN amount numeric, ADD COLUMN nothing text;
UPDATE vrm.test_runs SET ratio = 0.1::float8 + 0.2::float8, half = 0.1, raw = '{"a": 1, "a": 2}', tree = '"abc"',
    none = 'null', list = '[0:1]={1,2}',
    words = '{"a b",NULL}', day = '2024-02-03', span = '-1 mon +2 days', bits = '\xdeadbeef', place = '(1.5,2)',
        amount = 1.50, nothing = NULL;
CREATE TEMP TABLE before AS SELECT to_jsonb(r) AS row, r.raw::text AS raw, r.list::text AS list,
    float8send(r.ratio) AS ratio FROM vrm.test_runs r;
SET LOCAL extra_float_digits = -3;
SET LOCAL datestyle = 'SQL, DMY';
SET LOCAL intervalstyle = 'iso_8601';
SET LOCAL bytea_output = 'escape';
SELECT is(pg_temp.there_and_back(), 1::bigint, 'a call with columns of its own comes back');
RESET extra_float_digits;
RESET datestyle;
RESET intervalstyle;
RESET bytea_output;
SELECT results_eq('SELECT to_jsonb(r) FROM vrm.test_runs r', 'SELECT row FROM before', 'with every value');
SELECT results_eq('SELECT raw::text, list::text, float8send(ratio) FROM vrm.test_runs',
                  'SELECT raw, list, ratio FROM before',
                  'floats to the bit, duplicate keys, lower bounds');
SELECT is((SELECT none IS NULL OR nothing IS NOT NULL FROM vrm.test_runs), false,
          'a null of json is not a null of SQL');

-- as 1.0.0 has kept them
SELECT vrm.archive_old_test_runs() \g /dev/null
SAVEPOINT older;
UPDATE vrm_private.test_runs_archive
    SET extra = (SELECT row
                 - '{user_id,id,agent_id,test_case_ids,time_limit,outbound_call_params,status,started_at,completed_at,'
                   'results,error}'::text[] FROM before);
SELECT is(vrm.restore_from_archive(ARRAY[:'call']::uuid[]), 1::bigint, 'calls that 1.0.0 has archived come back');
SELECT is((SELECT words || list::text[] || amount::text || tree::text || day::text FROM vrm.test_runs),
          '{"a b",NULL,1,2,1.50,"\"abc\"",2024-02-03}', 'with their values');
ROLLBACK TO older;

-- columns that come after archiving
ALTER TABLE vrm.test_runs ADD COLUMN region text NOT NULL DEFAULT 'eu',
    ADD COLUMN counter bigint GENERATED ALWAYS AS IDENTITY,
    ADD COLUMN minutes integer GENERATED ALWAYS AS (time_limit / 60) STORED, ADD COLUMN made timestamptz DEFAULT now();
SELECT is(vrm.restore_from_archive(ARRAY[:'call']::uuid[]), 1::bigint, 'a call from before a column comes back');
SELECT is((SELECT concat_ws(' ', region, counter IS NOT NULL, minutes, made = now()) FROM vrm.test_runs), 'eu t 10 t',
          'with its default, number and computed value');
UPDATE vrm.test_runs SET region = 'us', made = NULL;
SELECT counter AS counter FROM vrm.test_runs \gset
SELECT is(pg_temp.there_and_back(), 1::bigint, 'there and back again');
SELECT is((SELECT concat_ws(' ', region, counter, minutes, made IS NULL) FROM vrm.test_runs),
          format('us %s 10 t', :counter), 'it has what it had, also nothing');

-- columns that both tables get
SELECT vrm.archive_old_test_runs() \g /dev/null
ALTER TABLE vrm.test_runs ADD COLUMN zone text NOT NULL DEFAULT 'a', ADD COLUMN tag text DEFAULT 'b';
ALTER TABLE vrm_private.test_runs_archive ADD COLUMN zone text, ADD COLUMN tag text;
SELECT is(vrm.restore_from_archive(ARRAY[:'call']::uuid[]), 1::bigint,
          'a call from before a column of both comes back');
SELECT is((SELECT zone || tag FROM vrm.test_runs), 'ab', 'with what the live one gives');
UPDATE vrm.test_runs SET zone = 'z', tag = NULL;
SELECT is(pg_temp.there_and_back(), 1::bigint, 'and again');
SELECT is((SELECT zone || ' ' || (tag IS NULL) FROM vrm.test_runs), 'z true', 'as it was, also nothing');
SELECT vrm.archive_old_test_runs() \g /dev/null
ALTER TABLE vrm_private.test_runs_archive ADD COLUMN region text;
SELECT is(vrm.restore_from_archive(ARRAY[:'call']::uuid[]), 1::bigint, 'where the archive gets a column afterwards');
SELECT is((SELECT region FROM vrm.test_runs), 'us', 'what was kept without one comes back');

-- computed columns in both
ALTER TABLE vrm_private.test_runs_archive ADD COLUMN minutes integer;
SELECT is(pg_temp.there_and_back(), 1::bigint, 'a computed column that the archive has as a plain one');
ALTER TABLE vrm_private.test_runs_archive DROP COLUMN minutes,
    ADD COLUMN minutes integer GENERATED ALWAYS AS (time_limit / 60) STORED;
SELECT is(pg_temp.there_and_back(), 1::bigint, 'or as a computed one');
SELECT is((SELECT minutes FROM vrm.test_runs), 10, 'is computed again');

-- columns that go
SELECT vrm.archive_old_test_runs() \g /dev/null
ALTER TABLE vrm.test_runs DROP COLUMN ratio, DROP COLUMN zone, DROP COLUMN counter;
SET LOCAL client_min_messages = error;
SELECT is(vrm.restore_from_archive(ARRAY[:'call']::uuid[]), 1::bigint, 'a call comes back where columns have gone');
RESET client_min_messages;
SELECT is((SELECT concat_ws(' ', region, amount, tag) FROM vrm.test_runs), 'us 1.50',
          'with the others in their places');
ALTER TABLE vrm_private.test_runs_archive DROP COLUMN tag;
UPDATE vrm.test_runs SET tag = 'kept';
SELECT is(pg_temp.there_and_back(), 1::bigint, 'where the archive has lost one');
SELECT is((SELECT tag FROM vrm.test_runs), 'kept', 'its value is kept elsewhere');
SELECT is((SELECT bool_and(ok) FROM vrm.verify_archive()), true, 'the manifest agrees with all of that');

-- twice there
SELECT vrm.archive_old_test_runs() \g /dev/null
INSERT INTO vrm.test_runs (user_id, id, status, started_at, completed_at) SELECT user_id, id, status, started_at,
    completed_at FROM vrm_private.test_runs_archive;
SELECT is((SELECT string_agg(detail, ', ') FROM vrm.verify_archive() WHERE NOT ok), '1 calls that are elsewhere, too',
          'a call that is live as well is found');
DELETE FROM vrm.test_runs;
INSERT INTO vrm_private.test_runs_archive (user_id, id, time_limit, status, started_at, completed_at, archived_at,
                                           batch_id)
    SELECT user_id, id, time_limit, status, started_at, completed_at, archived_at + interval '1 s',
        NULL FROM vrm_private.test_runs_archive;
SELECT matches((SELECT string_agg(detail, ', ' ORDER BY detail) FROM vrm.verify_archive() WHERE NOT ok),
               '1 calls that are elsewhere, too.*', 'so is one that is archived twice');
SELECT * FROM finish();
ROLLBACK;
