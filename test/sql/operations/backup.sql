-- Backup: what the tool tells is kept, fingerprints see every change and nothing else, and verdicts say
-- what is missing.  With an archive: test/cluster/operations; with pgBackRest: test/backup.
BEGIN;
SELECT plan(108);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice \gset

-- what would be lost ------------------------------------------------------------------------------------

SELECT is((SELECT row(state, exposure_seconds, unarchived_bytes, waiting_segments)::text FROM vrm.rpo()), '(off,,,)',
          'without archive_mode there is nothing to measure');
SELECT is(pg_temp.as_role('pg_monitor', NULL, 'SELECT state FROM vrm.rpo()'), 'off', 'a monitoring role may ask');
SELECT is(pg_temp.as_role('pg_monitor', NULL, 'SELECT vrm.first_commit(''0/0'', 1)'), '42501', 'but not read the WAL');
SELECT is((SELECT string_agg(coalesce(vrm.wal_segment_start(f)::text, 'none'), ' ')
           FROM unnest(ARRAY['000000010000000200000003', '000000010000000200000003.ready',
                  '000000010000000200000003.00000028.backup', '00000002.history', '']) AS f),
          repeat('2/3000000'::pg_lsn || ' ', 3) || 'none none', 'the name of a segment tells where it begins');
SELECT is(pg_temp.as_user(:'alice', statement), '42501', 'users may not: ' || statement)
FROM unnest(ARRAY['SELECT state FROM vrm.rpo()', 'SELECT * FROM vrm.recovery_status()', 'SELECT vrm.fingerprint()',
                  'SELECT * FROM vrm.backups',
                  'SELECT vrm.record_backup(''[]'')', 'SELECT vrm.verify_restore(''x'')',
                  'SELECT * FROM vrm.restore_points',
                  'SELECT vrm.record_restore_drill(now(), now(), true)', 'CALL vrm.pre_deploy(''x'')']) AS statement;
SELECT throws_ok($$CALL vrm.pre_deploy('x')$$, '25001', NULL, 'a restore point is not made inside a transaction block');

-- record_backup ------------------------------------------------------------------------------------------

SELECT system_identifier AS system FROM pg_control_system() \gset
-- given an archive that has had all WAL for long: test/sql/operations/recovery_windows.sql has others
INSERT INTO vrm_private.archived_stretches (since, until, seen_at, archived_until, timeline, system_identifier)
VALUES ('2019-01-01', now(), now(), '0/0', 1, :'system');
CREATE FUNCTION pg_temp.backup(label text, kind text, stop timestamptz, database int DEFAULT 1,
                               failed text DEFAULT 'false') RETURNS jsonb
    LANGUAGE sql AS $$
    SELECT jsonb_build_object('label', label, 'type', kind, 'error', failed::jsonb, 'info', '{"size": 31000000}'::jsonb,
                              'database', jsonb_build_object('id', database, 'repo-key', 1),
                              'timestamp',
                              jsonb_build_object('start', extract(epoch FROM stop)::bigint - 60, 'stop',
                                                 extract(epoch FROM stop)::bigint))
$$;
-- As pgBackRest writes it; database 1 is of another server, which this one has taken the place of.
CREATE FUNCTION pg_temp.info(VARIADIC backups jsonb[]) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_array(
        jsonb_build_object('name', 'other', 'db', '[{"id": 2, "repo-key": 1, "system-id": 7}]'::jsonb,
                           'backup', jsonb_build_array(pg_temp.backup('other', 'full', now(), 2))),
        jsonb_build_object('name', 'main', 'backup', to_jsonb(backups), 'status', '{"code": 0}'::jsonb, 'db',
                           jsonb_build_array(
            '{"id": 1, "repo-key": 1, "system-id": 7, "version": "14"}'::jsonb,
            jsonb_build_object('id', 2, 'repo-key', 1, 'system-id',
                               (SELECT system_identifier FROM pg_control_system())))))
$$;
CREATE VIEW pg_temp.told AS
    SELECT string_agg(concat_ws(' ', label, kind, CASE WHEN failed THEN 'failed' END,
                                CASE WHEN expired_at IS NOT NULL THEN 'expired' END),
                      ', ' ORDER BY label) AS backups FROM vrm.backups;
SELECT is(vrm.record_backup(pg_temp.info(pg_temp.backup('1F', 'full', now() - interval '3 days', 2),
                                         pg_temp.backup('2D', 'diff', now(), 2),
                                         pg_temp.backup('0F', 'full', now(), 1))), 2, 'backups of this server count');
SELECT is(backups, '1F full, 2D diff', 'and no others') FROM pg_temp.told;
SELECT is((SELECT row(source, bytes, finished_at - started_at, finished_at > now() - interval '2 s')::text
           FROM vrm.backups WHERE label = '2D'),
          '(pgbackrest,31000000,00:01:00,t)', 'with what is known of them');
SELECT is(vrm.record_backup(pg_temp.info(pg_temp.backup('2D', 'diff', now(), 2, 'true'),
                                         pg_temp.backup('3F', 'full', now(), 2, 'null'))), 2, 'told again');
SELECT is(backups, '1F full expired, 2D diff failed, 3F full', 'news is taken, what is gone has expired')
    FROM pg_temp.told;
SELECT is(vrm.record_backup(pg_temp.info(pg_temp.backup('1F', 'full', now(), 2))), 1, 'told of what had been gone');
SELECT is(backups, '1F full, 2D diff failed expired, 3F full expired', 'it is there again') FROM pg_temp.told;
SELECT is(vrm.record_backup('[{"label": "b", "kind": "full", "started_at": "2026-01-01", "finished_at": '
                            '"2026-01-02"}]', 'plain'), 1, 'any tool can tell');
SELECT is(backups, '1F full, 2D diff failed expired, 3F full expired, b full',
          'and one does not make the other''s expire') FROM pg_temp.told;
-- A tool that tells of one at a time says what is gone.
SELECT is(vrm.record_backup('[{"label": "c", "kind": "full", "started_at": "2026-01-03", "finished_at": '
                            '"2026-01-04"}]', 'plain'), 1, 'the next one');
SELECT is(backups, '1F full, 2D diff failed expired, 3F full expired, b full, c full',
          'leaves those that were recorded before') FROM pg_temp.told;
SELECT is(vrm.record_backup('[{"label": "c", "kind": "full", "started_at": "2026-01-03", "finished_at": '
                            '"2026-01-04", "repository": "vault"}, {"label": "b", "kind": "full", "started_at": '
                            '"2026-01-01", "finished_at": "2026-01-02", "expired": true}]', 'plain'), 2,
          'one is in another place, too, and one is gone');
SELECT is(backups, '1F full, 2D diff failed expired, 3F full expired, b full expired, c full, c full', 'as it says')
    FROM pg_temp.told;

-- Backups as arrays: repository, days ago, first and last segment of WAL; codes and archives by repository.
CREATE FUNCTION pg_temp.repositories(backups jsonb, codes jsonb, archives jsonb DEFAULT NULL) RETURNS jsonb
    LANGUAGE sql AS $$
    SELECT jsonb_build_array(jsonb_strip_nulls(jsonb_build_object('name', 'main',
        'db', (SELECT jsonb_agg(jsonb_build_object('id', 1, 'repo-key', key::int, 'system-id',
                                                   (SELECT system_identifier FROM pg_control_system())))
               FROM jsonb_each(codes)),
        'repo', (SELECT jsonb_agg(jsonb_build_object('key', key::int, 'status',
                                                     jsonb_build_object('code', value, 'message', 'of ' || key)))
                 FROM jsonb_each(codes)),
        'archive', (SELECT jsonb_agg(jsonb_build_object('database', jsonb_build_object('id', 1, 'repo-key', key::int),
                                                        'min', value -> 0, 'max', value -> 1))
                    FROM jsonb_each(archives)),
        'backup', coalesce((SELECT jsonb_agg(
                          pg_temp.backup(concat('F', b ->> 1), 'full', now() - make_interval(days => (b ->> 1)::int))
                          || jsonb_build_object('database', jsonb_build_object('id', 1, 'repo-key', b -> 0),
                                                'archive', jsonb_build_object('start', b -> 2, 'stop', b -> 3)))
                   FROM jsonb_array_elements(backups) AS b), '[]'))))
$$;
CREATE FUNCTION pg_temp.recovery() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat(status, ' ', round(value / 86400)), ', ' ORDER BY check_name)
    FROM vrm.recovery_status() WHERE check_name IN ('full_backup', 'pitr_window')
$$;
SAVEPOINT one_place;
DELETE FROM vrm.backups;
DELETE FROM vrm.backup_repositories;
SELECT vrm.record_backup(pg_temp.repositories('[[1, 9], [1, 0], [2, 9], [2, 0], [2, 40]]', '{"1": 0, "2": 0}'))
    \g /dev/null
SELECT is(pg_temp.recovery(), 'ok 0, ok 40', 'two repositories that are well, with one label in both');
SELECT vrm.record_backup(pg_temp.repositories('[[1, 9], [1, 0]]', '{"1": 0, "2": 99}')) \g /dev/null
SELECT is(pg_temp.recovery() || (SELECT format(', %s expired', count(expired_at)) FROM vrm.backups),
          'fail 0, ok 9, 0 expired', 'one that cannot be read is a failure, and lengthens nothing');
SELECT is((SELECT detail FROM vrm.recovery_status() WHERE check_name = 'full_backup'), 'pgbackrest main/2: of 2',
          'it is named');
SELECT is((SELECT s.value FROM vrm.monitoring('{backup}') s WHERE s.name = 'vrm_backup_full_age_seconds'),
          'Infinity'::float8, 'to monitoring, too');
SELECT vrm.record_backup(pg_temp.repositories('[[1, 9], [1, 0], [2, 40]]', '{"1": 0, "2": 0}')) \g /dev/null
SELECT is(pg_temp.recovery(), 'fail 40, ok 9', 'so is one that has had no backup for long');
SELECT vrm.record_backup(pg_temp.repositories('[[1, 9], [1, 0]]', '{"1": 0}')) \g /dev/null
SELECT is((SELECT count(*) FROM vrm.backups WHERE repository = 'main/2' AND expired_at IS NULL), 1::bigint,
          'who is told of one repository knows nothing of the other');
SELECT vrm.record_backup(pg_temp.repositories('[[1, 9], [1, 0]]', '{"1": 0, "2": 2}')) \g /dev/null
SELECT is(pg_temp.recovery(), 'fail 0, ok 9', 'one without any backup is none');
SELECT vrm.record_backup(pg_temp.repositories(
    '[[1, 9, "000000010000000000000002", "000000010000000000000003"],
      [1, 1, "000000020000000000000006", "000000020000000000000007"]]', '{"1": 0, "2": 0}',
    '{"1": ["000000010000000000000003", "000000020000000000000009"]}')) \g /dev/null
SELECT is((SELECT string_agg(label || ' ' || archived, ', ' ORDER BY label) FROM vrm.backups
           WHERE repository = 'main/1' AND expired_at IS NULL), 'F1 true, F9 false',
          'a backup whose WAL the archive lacks');
SELECT is((SELECT round(value / 86400) FROM vrm.recovery_status() WHERE check_name = 'pitr_window'), 1::float8,
          'does not count');
ROLLBACK TO one_place;

SELECT throws_ok(format('SELECT vrm.record_backup(%s)', bad), state, message, 'refused: ' || bad)
FROM (VALUES ('''[]''', '22023', 'no stanza belongs to this server'),
      ('''{}''', '22023', 'a list of backups has to be a JSON array'),
             ('''[{"db": [{"system-id": 7}]}]''', '22023', 'no stanza belongs to this server'),
             ('''[]'', ''floppies''', '0A000', 'backups of source "floppies" cannot be read'),
             ('NULL, ''plain''', '22023', 'a list of backups has to be a JSON array'),
             ('''[]'', ''barman''', '22023', 'a list of backups has to be a JSON object'),
             ('''[]'', NULL', '0A000', 'backups of source "null" cannot be read'))
     AS refused (bad, state, message);
-- whatever is wrong with one is said by its place and member, and nothing is recorded
CREATE FUNCTION pg_temp.why_not(list text, source text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    why text;
BEGIN
    RETURN vrm.record_backup(list::jsonb, source);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS why = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(' ', SQLSTATE, SQLERRM, why);
END
$$;
SELECT is(pg_temp.why_not(format('[{"label": "good", "kind": "full", "started_at": "2026-01-01",'
                                 ' "finished_at": "2026-01-02"}, %s]', bad), 'plain'),
          '22023 the list of backups of source "plain" cannot be read Backup 2: ' || wrong || '.', 'refused: ' || wrong)
FROM (VALUES ('7', 'it is of type number'), ('{"kind": "full"}', 'label: there is none'),
             ('{"label": "x"}', 'kind: must be full, diff or incr, got NULL'),
             ('{"label": "x", "kind": "some"}', 'kind: must be full, diff or incr, got ''some'''),
             ('{"label": "x", "kind": "full", "finished_at": "2026-01-01"}', 'started_at: must be a moment, got null'),
             ('{"label": "x", "kind": "full", "started_at": "2026-01-01", "finished_at": "infinity"}',
              'finished_at: must be a moment, got infinity'),
             ('{"label": "x", "kind": "full", "started_at": "soon"}',
              'invalid input syntax for type timestamp with time zone: "soon"'),
             ('{"label": "x", "kind": "full", "started_at": "2026-01-01 00:00Z", "finished_at": "2025-12-31 00:00Z"}',
              format('finished_at: %s is before it began, %s', timestamptz '2025-12-31 00:00Z',
                     timestamptz '2026-01-01 00:00Z')),
             ('{"label": "x", "kind": "full", "started_at": "2026-01-01", "finished_at": "2026-01-02", "bytes": -1}',
              'bytes: must not be negative, got -1'),
             ('{"label": "good", "kind": "diff", "started_at": "2026-01-01", "finished_at": "2026-01-02"}',
              'label: it is there twice')) AS refused (bad, wrong);
SELECT is(pg_temp.why_not(list, source), format('22023 the list of backups of source "%s" cannot be read %s.',
                                                source, wrong), 'refused: ' || list)
FROM (VALUES ('{"a": 1}', 'barman', 'cannot extract elements from a scalar'),
             ('{"a": [{"status": "DONE", "backup_id": "20260101T010000", "end_time_timestamp": "x"}]}', 'barman',
              'invalid input syntax for type double precision: "x"'),
             ('[{"backup_name": "base_1"}]', 'wal-g', 'Backup 1: started_at: must be a moment, got null'),
             ('{"items": 5}', 'cloudnative_pg', 'cannot extract elements from a scalar'),
             ('{"Files": [{"Size": "y"}]}', 'backup_manifest', 'invalid input syntax for type bigint: "y"'),
             (format('[{"name": "m", "db": [{"id": 1, "system-id": %s}], "backup": [{"label": "x", "type": "full",'
                     ' "timestamp": {"start": 1e300}, "database": {"id": 1}}]}]',
                     (pg_control_system()).system_identifier),
              'pgbackrest', 'timestamp out of range: "1e+300"')) AS refused (list, source, wrong);
SELECT is((SELECT count(*) FROM vrm.backups WHERE label IN ('good', 'x')), 0::bigint, 'of which nothing was recorded');
SELECT is(pg_temp.as_role('service_role', NULL, $$SELECT vrm.record_backup('[]', 'plain')$$), '0',
          'the service may tell');

-- fingerprint --------------------------------------------------------------------------------------------

CREATE TYPE public.mood AS ENUM ('sad', 'glad');
CREATE TABLE public.sample (id int, mood public.mood, at timestamptz, ratio float8, image bytea, span interval);
INSERT INTO public.sample SELECT i, 'glad', '2026-01-01 12:00+00', 0.1::float8 + 0.2::float8, '\x00ff',
    '1 day 2 hours' FROM generate_series(1, 100) AS i;
CREATE TABLE public.divided (id int) PARTITION BY RANGE (id);
CREATE TABLE public.low PARTITION OF public.divided FOR VALUES FROM (0) TO (10);
CREATE TABLE public.high PARTITION OF public.divided FOR VALUES FROM (10) TO (20);
CREATE FUNCTION pg_temp.print(tables regclass[]) RETURNS text
    LANGUAGE sql AS $$ SELECT string_agg(f::text, ' ') FROM vrm.fingerprint(tables) AS f $$;
SELECT pg_temp.print('{public.sample}') AS before \gset

SELECT is(:'before', (SELECT format('(public.sample,100,%s)', digest) FROM vrm.fingerprint('{public.sample}')),
          'a table, its rows and a digest');
SET LOCAL datestyle = 'German'; SET LOCAL timezone = 'Asia/Tokyo'; SET LOCAL extra_float_digits = -3;
    SET LOCAL bytea_output = 'escape';
SET LOCAL intervalstyle = 'sql_standard';
SELECT is(pg_temp.print('{public.sample}'), :'before', 'are the same whatever the session''s settings');
RESET datestyle; RESET timezone; RESET extra_float_digits; RESET bytea_output; RESET intervalstyle;
CREATE TABLE public.copy AS SELECT * FROM public.sample ORDER BY id DESC;
ALTER TABLE public.sample RENAME TO original; ALTER TABLE public.copy RENAME TO sample;
SELECT is(pg_temp.print('{public.sample}'), :'before', 'and in whatever order the rows lie');
ALTER TABLE public.sample ALTER COLUMN mood TYPE text; DROP TYPE public.mood CASCADE;
CREATE TYPE public.mood AS ENUM ('glad', 'sad'); ALTER TABLE public.sample ALTER COLUMN mood TYPE public.mood
    USING mood::public.mood;
SELECT is(pg_temp.print('{public.sample}'), :'before', 'and with whatever numbers an enum''s labels have');
SAVEPOINT unchanged;
UPDATE public.sample SET ratio = 0.3 WHERE id = 50;
SELECT isnt(pg_temp.print('{public.sample}'), :'before', 'a bit of a value is seen');
ROLLBACK TO unchanged;
UPDATE public.sample SET mood = NULL WHERE id = 50;
SELECT isnt(pg_temp.print('{public.sample}'), :'before', 'and a null');
ROLLBACK TO unchanged;
UPDATE public.sample SET id = 101 - id WHERE id IN (1, 2);
SELECT isnt(pg_temp.print('{public.sample}'), :'before', 'and ids that were mixed up');
ROLLBACK TO unchanged;
SELECT is((SELECT string_agg(relation, ' ' ORDER BY relation) FROM vrm.fingerprint('{public.divided}')),
          'public.high public.low', 'partitions stand for the whole');
SELECT is((SELECT count(*) FROM vrm.fingerprint()
           WHERE relation IN ('public.sample', 'vrm.agents', 'auth.users', 'vrm_private.fingerprints',
                              'vrm.restore_points',
                                                                  'pg_catalog.pg_class')), 3::bigint,
                                                                  'all tables are those with the data');
SET LOCAL quote_all_identifiers = on;
SELECT f::text AS quoted FROM vrm.fingerprint('{vrm_private.platform_history}') f \gset
RESET quote_all_identifiers;
SELECT is(:'quoted'::text, (SELECT f::text FROM vrm.fingerprint('{vrm_private.platform_history}') f),
          'whatever the session has set');
SELECT is_empty('SELECT * FROM vrm.fingerprint(''{}'')', 'none are none');
CREATE TABLE public.planted (t int);
INSERT INTO public.planted VALUES (1), (2);
CREATE FUNCTION public.planted(public.planted) RETURNS text
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'run as %', current_user; END $$;
CREATE CAST (public.planted AS text) WITH FUNCTION public.planted(public.planted);
SELECT lives_ok('SELECT vrm.fingerprint(''{public.planted}'')', 'a cast that a table''s owner has planted is not run');
SELECT pg_temp.print('{public.planted}') AS before \gset
UPDATE public.planted SET t = 3 WHERE t = 2;
SELECT isnt(pg_temp.print('{public.planted}'), :'before', 'a column called t is no trouble');
SELECT throws_ok('SELECT vrm.fingerprint(''{vrm.calls}'')', '42809', '"vrm.calls" is not a table', 'a view has none');

-- verify_restore -----------------------------------------------------------------------------------------

SELECT vrm_private.begin_restore_point('release-7', '{public.sample,public.divided}') AS point \gset
SELECT matches(:'point'::text, '^release-7\.\d{8}T\d{6}Z\.[0-9a-f]{4}$', 'a restore point has a name of its own');
SELECT is((SELECT string_agg(relation || ' ' || ok, ', ') FROM vrm.verify_restore(:'point')),
          'public.high true, public.low true, public.sample true', 'all is there');
DELETE FROM public.sample WHERE id > 98; INSERT INTO public.divided VALUES (1), (2); DROP TABLE public.high;
SELECT is((SELECT string_agg(concat_ws(' ', relation, ok, expected_rows, found_rows, detail), ', ')
           FROM vrm.verify_restore(:'point')),
          'public.high f 0 the table is missing, public.low f 0 2 rows too many: 2, public.sample f 100 98 rows '
          'missing: 2', 'what differs is named');
SELECT throws_ok('SELECT vrm.verify_restore(''x'')', '42704', 'restore point "x" does not exist',
                 'a restore point has to be known');
SELECT throws_ok(format('SELECT vrm_private.begin_restore_point(%L, NULL)', bad), '22023', NULL, 'no label: ' || bad)
FROM unnest(ARRAY['', 'a b', '-x', '../x', 'a''b', repeat('x', 33)]) AS bad;

-- recovery_status ----------------------------------------------------------------------------------------

-- Verdicts on full backups so many hours ago, and a drill that took so long so many days ago.
CREATE FUNCTION pg_temp.verdicts(backups jsonb, expired boolean DEFAULT false, took interval DEFAULT NULL,
                                 days_ago int DEFAULT 1,
                                 verified boolean DEFAULT true) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM vrm.backups; DELETE FROM vrm.backup_repositories; DELETE FROM vrm.restore_drills;
    INSERT INTO vrm.backups (source, label, kind, started_at, finished_at, failed)
    SELECT 'plain', b::text, coalesce(b ->> 'kind', 'full'), '2020-01-01', now() - (b ->> 'ago')::interval,
        coalesce((b ->> 'failed')::boolean, false)
    FROM jsonb_array_elements(backups) AS b;
    IF expired THEN
        INSERT INTO vrm.backups (source, label, kind, started_at, finished_at, expired_at)
            VALUES ('plain', 'old', 'full', '2020-01-01', '2020-01-02', now());
    END IF;
    IF took IS NOT NULL THEN
        PERFORM vrm.record_restore_drill(now() - interval '300 d' - took, now() - interval '300 d', NOT verified);
        PERFORM vrm.record_restore_drill(now() - days_ago * interval '1 d' - took, now() - days_ago * interval '1 d',
                                         verified, 'full', 'release-7');
    END IF;
    RETURN (SELECT string_agg(status, ' ' ORDER BY array_position('{full_backup,pitr_window,rpo,rto}', check_name))
            FROM vrm.recovery_status());
END
$$;
SELECT is(pg_temp.verdicts(backups::jsonb, expired, took::interval, days_ago, verified), verdicts, behaviour)
FROM (VALUES
    ('[]', false, NULL, 1, true, 'unknown unknown fail unknown',
     'nothing recorded, nothing archived: nothing known, nothing safe'),
    ('[{"ago": "24 h"}]', false, '3 h', 1, true, 'ok warn fail ok', 'a fresh start: the window still grows'),
    ('[{"ago": "24 h"}]', true, '3 h', 1, true, 'ok fail fail ok', 'a window that has been cut short'),
    ('[{"ago": "24 h"}, {"ago": "169 h"}]', true, '3 h', 1, true, 'ok ok fail ok', 'a week of history'),
    ('[{"ago": "26 h"}, {"ago": "169 h"}]', true, '3 h', 1, true, 'fail ok fail ok',
     'no full backup for more than a day'),
    ('[{"ago": "1 h", "kind": "incr"}, {"ago": "26 h"}]', false, '3 h', 1, true, 'fail warn fail ok',
     'an incremental one is none'),
    ('[{"ago": "1 h", "failed": true}]', false, '3 h', 1, true, 'fail fail fail ok', 'nor is one with broken pages'),
    ('[]', true, '3 h', 1, true, 'fail fail fail ok', 'nor one that has expired'),
    ('[]', false, '5 h', 1, true, 'unknown unknown fail fail', 'a restore that takes too long'),
    ('[]', false, '1 h', 1, false, 'unknown unknown fail fail', 'the last one did not bring everything back'),
    ('[]', false, '1 h', 91, true, 'unknown unknown fail warn', 'the last one is long ago'))
    AS of (backups, expired, took, days_ago, verified, verdicts, behaviour);
SELECT pg_temp.verdicts('[{"ago": "24 h"}]', false, '3 h') \g /dev/null
SELECT is((SELECT string_agg(check_name || ' ' || round(value) || '/' || limit_value, ', ' ORDER BY check_name)
           FROM vrm.recovery_status() WHERE value IS NOT NULL),
          'full_backup 86400/90000, pitr_window 86400/604800, rto 10800/14400', 'values and limits are seconds');
SELECT pg_temp.verdicts('[{"ago": "24 h"}, {"ago": "-2 min"}]', false, '3 h') \g /dev/null
SELECT is((SELECT status || ' ' || value FROM vrm.recovery_status() WHERE check_name = 'full_backup'), 'ok 0',
          'clocks may differ a little');
SELECT is(pg_temp.verdicts('[{"ago": "24 h"}, {"ago": "-10 years"}]', false, '3 h', -3000), 'fail warn fail fail',
          'neither a backup nor a drill of the future counts, and such a backup is told');
SELECT is((SELECT value || ' ' || (detail LIKE 'backup % ends in the future%') FROM vrm.recovery_status()
           WHERE check_name = 'full_backup'), '86400 true', 'by its name');
SELECT is((SELECT s.value FROM vrm.monitoring('{backup}') s WHERE s.name = 'vrm_backup_full_age_seconds'),
          'Infinity'::float8, 'and to monitoring it is none at all');
SELECT is_empty($$SELECT * FROM vrm.recovery_status() WHERE detail IS NULL OR (status = 'ok') <> (hint IS NULL)$$,
                'what is not well has a hint');
SELECT is(pg_temp.as_role('pg_monitor', NULL, 'SELECT count(*) FROM vrm.recovery_status()'), '4',
          'a monitoring role may ask');
SELECT throws_ok('SELECT vrm.record_restore_drill(now(), now() - interval ''1 s'', true)', '22023',
                 'a drill has a beginning, an end that is not before it, and an outcome',
                 'a drill ends after it began');
SELECT throws_ok('SELECT vrm.record_restore_drill(now(), NULL, true)', '22023', NULL, 'it has an end');
SELECT throws_ok('SELECT vrm.record_restore_drill(now(), ''infinity'', true)', '22023', NULL, 'some day');
SELECT throws_ok('SELECT vrm.record_restore_drill(now(), now(), NULL)', '22023', NULL, 'and an outcome');
SELECT throws_ok('SELECT vrm.begin_backup_run(NULL)', '22023', 'tool must be a text of 1 to 200 characters',
                 'a run is of a tool');

SELECT * FROM finish();
ROLLBACK;
