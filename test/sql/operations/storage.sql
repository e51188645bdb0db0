-- Storage: what disks have left, a sample a day, and a forecast that archival, noise and change of
-- pace do not mislead.
BEGIN;
SELECT plan(27);
\ir ../include/people.sql

-- room ----------------------------------------------------------------------------------------------

SELECT set_eq('SELECT path FROM vrm.disk()',
              ARRAY[current_setting('data_directory'), current_setting('data_directory') || '/pg_wal'],
              'the data directory and the WAL are looked at');
SELECT ok(bool_and(total_bytes >= free_bytes AND free_bytes > 0), 'there is room, and no more than there can be')
    FROM vrm.disk();
SELECT is((SELECT row(f)::text FROM vrm.file_system('/no/such/place') f), '("(,)")', 'what is not there has no size');
SELECT is(pg_temp.as_role('pg_monitor', NULL, 'SELECT count(*) FROM vrm.disk()'), '2', 'a monitoring role may ask');
SELECT is(pg_temp.as_role('pg_monitor', NULL, 'SELECT vrm.file_system(''/etc'')'), '42501', 'but not for any path');
SELECT is(pg_temp.as_user(NULL, statement), '42501', 'users may not: ' || statement)
FROM unnest(ARRAY['SELECT * FROM vrm.disk()', 'SELECT * FROM vrm.storage_forecast()',
                  'SELECT * FROM vrm.storage_samples']) AS statement;

-- samples -------------------------------------------------------------------------------------------

DELETE FROM vrm.storage_samples;
INSERT INTO vrm.storage_samples (path, day, used_bytes, free_bytes) VALUES ('/', current_date - 500, 1, 1);
SELECT is(vrm.sample_storage(), 2, 'both are noted');
SELECT is((SELECT count(*) FROM vrm.storage_samples WHERE day < current_date - 400), 0::bigint,
          'what is old enough goes');
SELECT is(vrm.sample_storage(), 0, 'the second time of a day there is nothing to do');
SELECT is((SELECT count(*) FROM vrm.storage_samples s JOIN vrm.disk() d USING (path)
           WHERE s.used_bytes > 0 AND s.free_bytes > 0 AND abs(s.used_bytes + s.free_bytes - d.total_bytes) < 1e9),
           2::bigint, 'used and free are all there is');
SELECT is(pg_temp.as_role('pg_monitor', NULL, 'SELECT count(*) FROM vrm.storage_samples'), '2',
          'a monitoring role reads them');

-- forecast --------------------------------------------------------------------------------------------

-- What the forecast makes of a curve: of the amount of a day, -29 to 0, after two months that do not count.
CREATE FUNCTION pg_temp.forecast(curve text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    said record;
BEGIN
    DELETE FROM vrm.storage_samples;
    EXECUTE 'INSERT INTO vrm.storage_samples (path, day, at, used_bytes, free_bytes)
             SELECT current_setting(''data_directory''), current_date + d, now() + d * interval ''1 day'', '
             || curve || ', 0
             FROM generate_series(-29, 0) AS d
             UNION ALL
             SELECT current_setting(''data_directory''), current_date + d, now() + d * interval ''1 day'', 0, 0
             FROM generate_series(-90, -30) AS d';
    SELECT * INTO said FROM vrm.storage_forecast();
    RETURN concat_ws(' ', said.samples, CASE WHEN said.bytes_per_day BETWEEN 4.25e9 AND 5.75e9 THEN '5 GB a day'
                                             ELSE round(said.bytes_per_day)::text || ' a day' END,
                     CASE WHEN said.days_to_full IS NULL THEN 'never full'
                          WHEN abs(said.days_to_full - said.free_bytes / said.bytes_per_day) < 1e-6 THEN 'full in time'
                          END,
                     CASE WHEN said.full_at - now() BETWEEN (said.days_to_full - 1) * interval '1 day'
                                                    AND (said.days_to_full + 1) * interval '1 day' THEN 'then' END);
END
$$;
SELECT is(pg_temp.forecast('1e12 + 5e9 * d'), '30 5 GB a day full in time then', 'steady growth goes on');
SELECT is(pg_temp.forecast('1e12 + 5e9 * d - CASE WHEN d > -15 THEN 2e11 ELSE 0 END'),
          '30 5 GB a day full in time then',
          'after archival it grows as before');
SELECT is(pg_temp.forecast('1e12 + 5e9 * d + 5e9 * sin(d * 7919)'), '30 5 GB a day full in time then',
          'noise is looked through');
SELECT is(pg_temp.forecast('1e12 + CASE WHEN d < -17 THEN 1e9 * (d + 17) ELSE 5e9 * (d + 17) END'),
          '30 5 GB a day full in time then',
          'a new pace counts when most of the month has it');
SELECT is(pg_temp.forecast('1e12 - 5e9 * d'), '30 -5000000000 a day never full', 'what shrinks is never full');
SELECT is(pg_temp.forecast('1e12'), '30 0 a day never full', 'nor is what stays as it is');
SELECT is(pg_temp.forecast('1e12 + 1000 * d'), '30 1000 a day never full', 'nor what takes more than ten years');
DELETE FROM vrm.storage_samples WHERE day > current_date - 25;
SELECT is((SELECT row(samples, bytes_per_day, days_to_full, full_at, free_bytes > 0)::text
           FROM vrm.storage_forecast()), '(5,,,,t)',
          'less than a week of samples is no trend');
SELECT is(pg_temp.as_role('pg_monitor', NULL, 'SELECT samples FROM vrm.storage_forecast()'), '5',
          'a monitoring role may ask');
SELECT throws_ok('SELECT vrm.growth_a_day(''{1,2}'', ''{1}'')', '22023', 'there must be as many amounts as days',
                 'days and amounts go together');

-- what takes it ----------------------------------------------------------------------------------------

-- VACUUM of a table, or a cache of the catalog that is written anew, may come in between.
SELECT cmp_ok(abs((SELECT t.bytes FROM vrm_private.table_sizes() t WHERE t.relation IS NULL)
                  - pg_database_size(current_database())), '<', 1e6, 'all files of a database are its size');
SELECT cmp_ok((SELECT abs(sum(t.bytes) - sum(coalesce((SELECT sum(pg_total_relation_size(p.relid))
                                                       FROM pg_partition_tree(c.oid) p),
                                                      pg_total_relation_size(c.oid))))
               FROM vrm_private.table_sizes() t JOIN pg_class c ON c.oid = to_regclass(t.relation)), '<', 2e5,
              'those of a table, its indexes, TOAST and partitions are its size');
SELECT is_empty($$SELECT * FROM vrm.file_sizes('/no/such/place')$$, 'what is not there has no files');
SELECT is(pg_temp.as_role('pg_monitor', NULL, 'SELECT count(*) FROM vrm.file_sizes(''/etc'')'), '42501',
          'and whose they are is not for everybody to see');

SELECT * FROM finish();
ROLLBACK;
