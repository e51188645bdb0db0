-- The archive within one transaction: what is due goes there, whole, and comes back whole; whatever was changed
-- in it is found.
BEGIN;
SELECT plan(60);
\ir ../include/people.sql
\ir ../include/old_calls.sql

-- archiving --------------------------------------------------------------------------------------------

CREATE TEMP TABLE seen (archiving boolean);
CREATE FUNCTION pg_temp.look() RETURNS trigger
    LANGUAGE plpgsql AS 'BEGIN INSERT INTO seen VALUES (vrm.is_archiving()); RETURN NULL; END';
CREATE TRIGGER look AFTER DELETE ON vrm.test_runs FOR EACH ROW EXECUTE FUNCTION pg_temp.look();
SELECT is(vrm.archive_old_test_runs(), (SELECT 15::bigint), 'what was due is archived');
SELECT is((SELECT string_agg(DISTINCT archiving::text, ', ') FROM seen), 'true',
          'triggers are told that rows go to the archive');
DROP TRIGGER look ON vrm.test_runs;
SELECT ok(NOT vrm.is_archiving(), 'and only then');
SELECT is((SELECT count(*) FROM vrm.call_facts), (SELECT count(*) - 1 FROM before),
          'statistics keep what the archive keeps');
SELECT is((SELECT sum(due_rows) FROM vrm.retention_preview('calls.completed')), 0::numeric, 'nothing is due any more');
SELECT is_empty($$SELECT user_id, id, agent_id, test_case_ids, time_limit, outbound_call_params, status::text,
                started_at, completed_at, results, error FROM before
                  EXCEPT ALL
                  SELECT user_id, id, agent_id, test_case_ids, time_limit, outbound_call_params, status, started_at,
                  completed_at, results, error FROM vrm.all_test_runs$$,
                'every call is there, unchanged');
SELECT is((SELECT count(*) FROM vrm.all_test_runs), (SELECT count(*) FROM before), 'and once');
SELECT is((SELECT string_agg(policy || ' ' || state || ' ' || rows_done, ', ' ORDER BY policy) FROM vrm.retention_runs),
          'calls.completed done 9, calls.failed done 6', 'the log says so');
SELECT is(pg_temp.verified(), 'true', 'the archive is as the manifest says');
SELECT max(run_id) AS run FROM vrm.retention_runs \gset
SELECT is((SELECT string_agg(concat_ws(' ', batch_run_id - :run, ok, detail), ', ') FROM vrm.verify_archive(:run)),
          '0 t 6 rows', 'that of one run, too');
SELECT is(pg_temp.as_user(:'bob', 'SELECT count(*) FROM vrm.all_test_runs WHERE archived_at IS NOT NULL'), '2',
          'owners read their archived calls');
SELECT is(pg_temp.as_user(:'alice', 'DELETE FROM vrm.all_test_runs'), '55000', 'nothing is deleted through the view');
SELECT is(pg_temp.as_role('service_role', NULL, 'SELECT count(*) FROM vrm.all_test_runs'),
          (SELECT count(*)::text FROM before), 'the service sees all');

-- what was changed is found ----------------------------------------------------------------------------

SELECT min(id::text) AS victim FROM vrm_private.test_runs_archive WHERE results IS NOT NULL AND user_id = :'alice' \gset
CREATE TEMP TABLE kept AS SELECT * FROM vrm_private.test_runs_archive WHERE id = :'victim';
UPDATE vrm_private.test_runs_archive SET results = '{}' WHERE id = :'victim';
SELECT is(pg_temp.verified(), 'false: rows were changed, true', 'a changed value is found');
DELETE FROM vrm_private.test_runs_archive WHERE id = :'victim';
SELECT matches(pg_temp.verified(), 'false: 8 rows of 9 are there', 'a missing row is found');
INSERT INTO vrm_private.test_runs_archive SELECT * FROM kept;
SELECT is(pg_temp.verified(), 'true', 'what is put back is right again');
INSERT INTO vrm_private.test_runs_archive (user_id, id, time_limit, status, started_at, completed_at)
    VALUES (:'alice', vrm.uuid7(), 60, 'completed', '2020-01-01', '2020-01-01');
SELECT matches(pg_temp.verified(), 'false: 1 rows that no batch accounts for', 'a row from elsewhere is found');
SELECT is((SELECT bool_and(ok) FROM vrm.verify_archive(:run)), true, 'which is not of a run');
DELETE FROM vrm_private.test_runs_archive WHERE batch_id IS NULL;
SELECT min(batch_id) AS first FROM vrm_private.archive_manifest \gset
UPDATE vrm_private.archive_manifest SET archived_at = archived_at, row_count = row_count + 1 WHERE batch_id = :first;
SELECT matches(pg_temp.verified(), 'false: the manifest was changed here or before', 'a changed manifest is found');
UPDATE vrm_private.archive_manifest SET row_count = row_count - 1 WHERE batch_id = :first;
CREATE TEMP TABLE link AS SELECT * FROM vrm_private.archive_manifest WHERE batch_id = :first;
DELETE FROM vrm_private.archive_manifest WHERE batch_id = :first;
SELECT is((SELECT string_agg(batch_id - :first || ': ' || detail, ', ' ORDER BY batch_id) FROM vrm.verify_archive()),
          '0: 9 rows that no batch accounts for, 1: the manifest was changed here or before',
          'so is a missing row of it, by what comes next');
INSERT INTO vrm_private.archive_manifest OVERRIDING SYSTEM VALUE TABLE link;
SELECT is((SELECT count(DISTINCT vrm.row_digest(s, '{v}')) FROM (SELECT repeat('x', 5000) AS v UNION ALL SELECT v FROM
               (SELECT results ->> 'x' AS v FROM (SELECT jsonb_build_object('x', repeat('x', 5000)) AS results) AS t)
               AS u) AS s), 1::bigint,
          'a digest is of the value, not of how it is stored');
SELECT throws_ok($$SELECT vrm.row_digest(row(1), '{nothing}')$$, '42703', NULL, 'a digest is of columns that exist');

-- back again -------------------------------------------------------------------------------------------

SELECT count(*) AS events FROM vrm.run_events \gset
SELECT is(vrm.restore_from_archive((SELECT array_agg(id) FROM vrm_private.test_runs_archive)), 15::bigint,
          'the archive gives back what it has');
SELECT set_eq('TABLE vrm.test_runs', 'TABLE before', 'calls are what they were');
SELECT set_eq('TABLE vrm.test_run_cases', 'TABLE cases_before', 'with their test cases');
SELECT is((SELECT count(*) FROM vrm.run_events), :events::bigint, 'no state is recorded again');
SELECT is(pg_temp.verified(), 'true', 'the manifest knows of it');
SELECT throws_ok($$SELECT vrm.restore_from_archive(ARRAY[vrm.uuid7()])$$, 'P0002', NULL,
                 'what is not there cannot be restored');

-- the short way ------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.short_way() RETURNS boolean LANGUAGE sql AS
    'SELECT vrm_private.archive_partition(''vrm.test_runs'', now(), '
    '(vrm_private.archive_columns(''vrm.test_runs'')).shared) IS NOT NULL';
SELECT ok(pg_temp.short_way(), 'past the executor, where triggers and foreign keys are the platform''s own');
CREATE TRIGGER look AFTER DELETE ON vrm.test_runs FOR EACH ROW EXECUTE FUNCTION pg_temp.look();
SELECT ok(NOT pg_temp.short_way(), 'not with somebody else''s trigger');
DROP TRIGGER look ON vrm.test_runs;
CREATE TABLE note (user_id uuid, run_id uuid, FOREIGN KEY (user_id, run_id) REFERENCES vrm.test_runs ON DELETE CASCADE);
SELECT ok(NOT pg_temp.short_way(), 'not with somebody else''s foreign key');
DROP TABLE note;
ALTER TABLE vrm_private.test_runs_archive ADD COLUMN place text DEFAULT 'here';
SELECT ok(NOT pg_temp.short_way(), 'not where a default has to be filled in');
ALTER TABLE vrm_private.test_runs_archive DROP COLUMN place;
SELECT is((SELECT sum(due_rows) || ' ' || sum(due_bytes) FROM vrm.retention_preview()
           WHERE policy_name LIKE 'calls.%'), before.due, 'as much is due as before')
FROM (SELECT sum(rows_done) || ' ' || sum(bytes_done) AS due FROM vrm.retention_runs) AS before;
SELECT sum(due_bytes) AS bytes FROM vrm.retention_preview() WHERE policy_name LIKE 'calls.%' \gset
SELECT max(run_id) AS last_run FROM vrm.retention_runs \gset
SELECT count(*) FROM (SELECT FROM vrm.test_runs FOR KEY SHARE) AS locked \g /dev/null
SELECT is(vrm.archive_old_test_runs(), 15::bigint, 'as many go, though this transaction holds locks on them');
SELECT is((SELECT sum(bytes_done) FROM vrm.retention_runs WHERE run_id > :last_run), :bytes::numeric,
          'of the size that the preview tells');
SELECT is((SELECT string_agg(row_count || ' '
                             || (oldest = (SELECT min(completed_at) FROM vrm_private.test_runs_archive a
                                           WHERE a.batch_id = m.batch_id))
                             || ' ' || (newest = (SELECT max(completed_at) FROM vrm_private.test_runs_archive a
                                                  WHERE a.batch_id = m.batch_id)), ', ' ORDER BY batch_id)
           FROM vrm_private.archive_manifest m WHERE run_id > :last_run), '9 true true, 6 true true',
           'the manifest knows from when to when');
SELECT is_empty($$SELECT user_id, id, agent_id, test_case_ids, time_limit, outbound_call_params, status::text,
                started_at, completed_at, results, error FROM before
                  EXCEPT ALL
                  SELECT user_id, id, agent_id, test_case_ids, time_limit, outbound_call_params, status, started_at,
                  completed_at, results, error FROM vrm.all_test_runs$$,
                'with the same content');
SELECT is((SELECT count(*) FROM vrm.test_run_cases l
           WHERE NOT EXISTS (SELECT FROM vrm.test_runs r WHERE r.user_id = l.user_id AND r.id = l.run_id)), 0::bigint,
          'nothing is left hanging on them');
SELECT is((SELECT count(*) FROM vrm.call_facts), (SELECT count(*) - 1 FROM before), 'but statistics');
SELECT is(pg_temp.verified(), 'true', 'and the manifest is right');
SET LOCAL enable_seqscan = off;
SELECT is((SELECT count(*) FROM before b
           WHERE EXISTS (SELECT FROM vrm_private.test_runs_archive a WHERE a.user_id = b.user_id AND a.id = b.id)),
          15::bigint, 'indexes find them');
RESET enable_seqscan;
SELECT is(vrm.restore_from_archive((SELECT array_agg(id) FROM vrm_private.test_runs_archive)), 15::bigint,
          'and they come back');
SELECT set_eq('TABLE vrm.test_runs', 'TABLE before', 'as they were');

-- a DBA's columns ----------------------------------------------------------------------------------------

ALTER TABLE vrm.test_runs ADD COLUMN gone text, ADD COLUMN label text DEFAULT 'none', ADD COLUMN price numeric;
ALTER TABLE vrm.test_runs DROP COLUMN gone;
ALTER TABLE vrm_private.test_runs_archive ADD COLUMN gone text, ADD COLUMN label text;
UPDATE vrm.test_runs SET price = 1.50, label = E'a "b"\n', error = 'new' WHERE completed_at < now() - interval '1 year';
CREATE TEMP TABLE drifted AS SELECT id, price, label, error, results, test_case_ids FROM vrm.test_runs;
SELECT is(vrm.archive_old_test_runs(), 15::bigint, 'columns that come and go do not stop it');
SELECT is_empty($$SELECT a.id FROM vrm_private.test_runs_archive a JOIN drifted d USING (id)
                  WHERE (a.extra ->> 'price', a.label, a.error, a.results, a.test_case_ids)
                        IS DISTINCT FROM (d.price::text, d.label, d.error, d.results, d.test_case_ids)$$,
                        'nor shift values; what the archive has no column for goes to "extra"');
SELECT is(vrm.restore_from_archive((SELECT array_agg(id) FROM vrm_private.test_runs_archive)), 15::bigint,
          'and come back');
SELECT set_eq('SELECT id, price, label, error, results, test_case_ids FROM vrm.test_runs', 'TABLE drifted',
              'in their places');
DROP VIEW vrm.all_test_runs;
ALTER TABLE vrm.test_runs ALTER COLUMN time_limit TYPE bigint;
SELECT throws_ok('SELECT vrm.archive_old_test_runs()', '42804',
                 'column "time_limit" of vrm.test_runs has another type than in the archive',
                 'a retyped column is refused');
ALTER TABLE vrm.test_runs ALTER COLUMN time_limit TYPE integer;
SELECT vrm.archive_old_test_runs() \g /dev/null
SELECT array_agg(id) FILTER (WHERE user_id = :'alice') AS hers, array_agg(id) FILTER (WHERE user_id = :'bob') AS his
FROM vrm_private.test_runs_archive \gset
ALTER TABLE vrm.test_runs DROP COLUMN price;
SAVEPOINT restored;
SET LOCAL client_min_messages = error;
SELECT is(vrm.restore_from_archive(:'hers'), cardinality(:'hers'::uuid[])::bigint,
          'a column that was dropped meanwhile keeps nothing back');
ROLLBACK TO restored;
DELETE FROM vrm.agents WHERE id = :'bobs_agent';
SELECT throws_ok(format('SELECT vrm.restore_from_archive(%L)', :'his'), '23503',
                 format('agent "%s" of an archived test run is gone', :'bobs_agent'),
                 'nor to an agent that is gone');

-- people go, and partitions ------------------------------------------------------------------------------

DELETE FROM auth.users WHERE id = :'bob';
SELECT is((SELECT count(*) FROM vrm_private.test_runs_archive WHERE user_id = :'bob'), 0::bigint,
          'the archived calls of a person go with the person');
SELECT is(pg_temp.verified(), 'true', 'and the archive is right all the same');
SELECT ok(vrm_private.make_partition('vrm_private.test_runs_archive', 'test_runs_archive_2020', '2020-01-01',
                                     '2021-01-01'), 'a partition is made');
SELECT is(vrm_private.make_partition('vrm_private.test_runs_archive', 'test_runs_archive_2020', '2020-01-01',
                                     '2021-01-01'), false, 'once');
INSERT INTO vrm_private.test_runs_archive (user_id, id, time_limit, status, started_at, completed_at, archived_at)
    VALUES (:'alice', vrm.uuid7(), 60, 'completed', '2018-01-01', '2018-01-01', '2020-02-01'),
           (:'alice', vrm.uuid7(), 60, 'completed', '2018-01-01', '2018-01-01', '2019-02-01');
SELECT nextval(pg_get_serial_sequence('vrm_private.archive_manifest', 'batch_id')) AS purged \gset
SELECT vrm_private.record_batch(:purged, :run, 1, '2020-02-01', '2018-01-01', '2018-01-01', 100, '{id}', sha256(''))
    \g /dev/null
UPDATE vrm_private.test_runs_archive SET batch_id = :purged WHERE archived_at = '2020-02-01';
SELECT ok(vrm_private.make_partition('vrm_private.test_runs_archive', 'test_runs_archive_2019', '2019-01-01',
                                     '2020-01-01'), 'also where rows lie already');
UPDATE vrm.retention_policies SET keep = '2 years' WHERE name = 'archive';
SELECT is((SELECT due_rows FROM vrm.retention_preview('archive')), 2::bigint, 'preview tells what partitions would go');
SELECT vrm.place_hold('case 3', user_id => :'alice', until => '2018-06-01') AS hold \gset
SELECT is((SELECT due_rows || ' ' || held_rows FROM vrm.retention_preview('archive')), '0 2',
          'not those with something under a hold');
SELECT vrm.release_hold(:hold) \g /dev/null
SELECT is(vrm.retention_step((vrm_private.begin_retention_run('archive')).run_id, 0, 0, 100), 2::bigint,
          'the others are dropped');
SELECT is((SELECT string_agg(to_regclass('vrm_private.test_runs_archive_' || y)::text, ' ')
           FROM generate_series(2019, 2020) AS y), NULL, 'as a whole');
SELECT is((SELECT ok || ' ' || detail FROM vrm.verify_archive() WHERE batch_id = :purged),
          format('true 1 rows, purged on %s', current_date), 'and the manifest knows');

SELECT * FROM finish();
ROLLBACK;
