-- A partition of the archive leaves the database for a file, is known to be away, and comes back whole; not while
-- something is held, nor with other calls than those that were exported.
BEGIN;
SELECT plan(20);
\ir ../include/people.sql
\ir ../include/old_calls.sql
SELECT vrm.archive_old_test_runs() \g /dev/null
SELECT c.relname AS part FROM pg_class c
WHERE c.oid = (SELECT max(tableoid) FROM vrm_private.test_runs_archive) \gset
CREATE TEMP TABLE whole AS SELECT * FROM vrm.all_test_runs WHERE archived_at IS NOT NULL;
CREATE TEMP TABLE file (line text NOT NULL);
CREATE FUNCTION pg_temp.take_out(part text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE file;
    INSERT INTO file SELECT * FROM vrm.cold_calls(part);
    PERFORM vrm.drop_cold_partition(part, decode(vrm.cold_manifest(part) ->> 'sha256', 'hex'));
    RETURN 'gone';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END
$$;

SELECT is((vrm.cold_manifest(:'part') - 'batches') - '{sha256,from,to}'::text[],
          jsonb_build_object('version', 1, 'partition', :'part', 'calls', 15), 'a manifest says what a file has');
SELECT is((SELECT string_agg(b ->> 'row_count', ' ' ORDER BY b ->> 'batch_id')
           FROM jsonb_array_elements(vrm.cold_manifest(:'part') -> 'batches') AS b), '9 6', 'batch by batch');
SELECT throws_ok($$SELECT vrm.cold_manifest('test_runs_archive_rest')$$, '42P01', NULL, 'the default partition stays');
SELECT throws_ok($$SELECT vrm.cold_calls('nothing')$$, '42P01', 'the archive has no partition "nothing"',
                 'as do others');
SELECT vrm.place_hold('case 9', user_id => :'bob') AS hold \gset
SELECT is(pg_temp.take_out(:'part'), '55006', 'nothing goes while something is held');
SELECT vrm.release_hold(:hold) \g /dev/null
SELECT throws_ok(format('SELECT vrm.drop_cold_partition(%L, sha256(''''))', :'part'), '55000', NULL,
                 'nor when the file has other calls');
SAVEPOINT changed;
UPDATE vrm_private.test_runs_archive SET error = 'changed';
SELECT is(pg_temp.take_out(:'part'), 'XX001', 'nor what does not verify');
ROLLBACK TO changed;
SELECT is(pg_temp.take_out(:'part'), 'gone', 'else the partition goes');
SELECT is((SELECT count(*) FROM vrm_private.test_runs_archive), 0::bigint, 'with its calls');
SELECT is(pg_temp.verified(), 'true', 'on purpose, as verifying knows');
SELECT is((SELECT string_agg(detail, ', ' ORDER BY batch_id) FROM vrm.verify_archive()),
          format('9 rows, in cold storage since %1$s, 6 rows, in cold storage since %1$s', current_date), 'and says');
SELECT throws_ok($$SELECT vrm.import_cold_calls('nothing', 'file')$$, 'P0002', NULL,
                 'what is not away does not come back');
SAVEPOINT away;
UPDATE file SET line = replace(line, 'line went dead', 'line went deaf');
SELECT throws_ok(format('SELECT vrm.import_cold_calls(%L, ''file'')', :'part'), 'XX001',
                 'calls are not those that were exported', 'nor do others in its place');
ROLLBACK TO away;
SELECT is(vrm.import_cold_calls(:'part', 'file'), 15::bigint, 'the calls come back');
SELECT set_eq('SELECT * FROM vrm.all_test_runs WHERE archived_at IS NOT NULL', 'TABLE whole', 'as they were');
SELECT is(pg_temp.verified(), 'true', 'and verify');
DO $$
DECLARE
    part regclass := (SELECT max(tableoid) FROM vrm_private.test_runs_archive);
BEGIN
    PERFORM vrm_private.compress_partition(part);
END
$$;
SELECT is(pg_temp.take_out(:'part' || '_zstd'), 'gone', 'a compressed one goes as well');
DELETE FROM auth.users WHERE id = :'bob';
SELECT is(vrm.import_cold_calls(:'part' || '_zstd', 'file'), 13::bigint,
          'whoever was erased meanwhile does not come back');
SELECT is(pg_temp.verified(), 'true', 'which the manifest knows');
SELECT is(pg_temp.as_role('service_role', NULL, 'SELECT vrm.cold_calls(''x'')'), '42501', 'none of it is a service''s');

SELECT * FROM finish();
ROLLBACK;
