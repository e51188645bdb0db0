-- Columns of calls that a DBA has renamed or dropped, live or in the archive: each thing that needs them says so, and
-- how to have them back, and whatever does not goes on.
BEGIN;
SELECT plan(18);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice \gset
ALTER TABLE vrm.test_runs ADD COLUMN label text DEFAULT 'a';
ALTER TABLE vrm_private.test_runs_archive ADD COLUMN label text;
INSERT INTO vrm.test_runs (user_id, status, started_at, completed_at, error)
SELECT :'alice', 'failed', now() - interval '3 years', now() - interval '3 years', 'e' FROM generate_series(1, 3);
SELECT is(vrm.archive_old_test_runs(), 3::bigint, 'calls are archived');
CREATE FUNCTION pg_temp.doctor(what text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat_ws(' | ', status, detail, fix_sql), E'\n') FROM vrm.doctor() WHERE check_name = what
$$;

-- live
ALTER TABLE vrm.test_runs RENAME COLUMN error TO err;
SELECT throws_ok($$SELECT vrm.retention_preview()$$, '42703', 'column "error" of vrm.test_runs is not there',
                 'a column that was renamed is told by its name');
SELECT throws_ok($$SELECT vrm.archive_old_test_runs()$$, '42703', 'column "error" of vrm.test_runs is not there',
                 'by whoever archives');
SELECT throws_ok($$SELECT vrm.restore_from_archive(ARRAY(SELECT id FROM vrm_private.test_runs_archive))$$, '42703',
                 'column "error" of vrm.test_runs is not there', 'and by whoever restores');
SELECT is(pg_temp.doctor('objects'), 'fail | column "error" of vrm.test_runs is not there: renamed or dropped'
          ' | ALTER TABLE vrm.test_runs RENAME COLUMN err TO error;', 'the doctor knows what it is called now');
SELECT fix_sql FROM vrm.doctor() WHERE check_name = 'objects' \gexec
SELECT lives_ok($$SELECT vrm.retention_preview()$$, 'until it has its name again');
ALTER TABLE vrm.test_runs RENAME COLUMN time_limit TO seconds;
SELECT is((SELECT count(DISTINCT check_name) FROM vrm.doctor()), 45::bigint,
          'one that the doctor reads keeps no check from being done');
SELECT alike(pg_temp.doctor('maintenance'), 'unknown | it cannot be looked at, SQLSTATE 42703: column r.time_limit%',
               'but its own, of which nothing is known');
ALTER TABLE vrm.test_runs RENAME COLUMN seconds TO time_limit;

-- in the archive
ALTER TABLE vrm_private.test_runs_archive RENAME COLUMN error TO err;
SELECT throws_ok($$SELECT vrm.archive_old_test_runs()$$, '42703',
                 'column "error" of vrm_private.test_runs_archive is not there',
                 'nothing goes to an archive without the column');
SELECT is((SELECT ok || ' ' || detail FROM vrm.verify_archive()),
          'false column "error" is not in the archive any more: it was renamed or dropped', 'which does not verify');
SELECT is(pg_temp.doctor('objects'), 'fail | column "error" of vrm_private.test_runs_archive is not there:'
          ' renamed or dropped'
          ' | ALTER TABLE vrm_private.test_runs_archive RENAME COLUMN err TO error;', 'the doctor tells');
SELECT fix_sql FROM vrm.doctor() WHERE check_name = 'objects' \gexec
SELECT is((SELECT ok || ' ' || detail FROM vrm.verify_archive()), 'true 3 rows', 'and how to mend it');
SAVEPOINT whole;
ALTER TABLE vrm.test_runs RENAME COLUMN error TO err;
ALTER TABLE vrm_private.test_runs_archive RENAME COLUMN error TO err;
SELECT throws_ok($$SELECT vrm.retention_preview()$$, '42703', 'column "error" of vrm.test_runs is not there',
                 'where nobody knows its new name, the error is the same');
ROLLBACK TO whole;

-- a column of a DBA's that is in the archive no more
ALTER TABLE vrm_private.test_runs_archive DROP COLUMN label;
SELECT is((SELECT ok || ' ' || detail FROM vrm.verify_archive()),
          'false column "label" is not in the archive any more: it was renamed or dropped',
          'a dropped column is missed');
SELECT is(vrm.restore_from_archive(ARRAY[(SELECT min(id::text)::uuid FROM vrm_private.test_runs_archive)]), 1::bigint,
          'calls are given back all the same');
SELECT is((SELECT label FROM vrm.test_runs), 'a', 'with what new ones get');
SELECT lives_ok(format('DELETE FROM auth.users WHERE id = %L', :'alice'), 'and people can go');
SELECT is((SELECT count(*) FROM vrm_private.test_runs_archive), 0::bigint, 'with what is archived of them');
SELECT * FROM finish();
ROLLBACK;
