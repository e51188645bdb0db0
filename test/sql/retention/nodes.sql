-- Foreign tables in the place of months of the archive, with a table of this node behind them: they are read and
-- written as if they were it.  With Citus: test/citus/.
BEGIN;
SELECT plan(14);
\ir ../include/people.sql
\ir ../include/secrets.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob \gset

-- a month on its way to nodes, as vrm.distribute() leaves it
CREATE SCHEMA vrm_nodes;
CREATE FOREIGN DATA WRAPPER vrm_nodes HANDLER vrm.nodes_handler;
CREATE SERVER vrm_nodes FOREIGN DATA WRAPPER vrm_nodes;
SELECT vrm_private.make_partition('vrm_private.test_runs_archive', 'test_runs_archive_2001_02', '2001-02-01Z',
                                  '2001-03-01Z');
CREATE TABLE vrm_nodes.test_runs_archive_2001_02 (LIKE vrm_private.test_runs_archive INCLUDING ALL);
INSERT INTO vrm_private.test_runs_archive (user_id, id, time_limit, status, started_at, completed_at, results,
                                           archived_at)
SELECT u, gen_random_uuid(), n, 'completed', '2001-01-01Z', '2001-01-01Z', jsonb_build_object('n', n), '2001-02-03Z'
FROM unnest(ARRAY[:'alice', :'bob']::uuid[]) AS u, generate_series(1, 300) AS n;
INSERT INTO vrm_nodes.test_runs_archive_2001_02 SELECT * FROM vrm_private.test_runs_archive_2001_02;
SELECT vrm_private.make_foreign_table('vrm_private.test_runs_archive_2001_02', 'vrm_nodes.test_runs_archive_2001_02');
CREATE TEMP TABLE before AS
    SELECT * FROM vrm.fingerprint(ARRAY['vrm_private.test_runs_archive_2001_02']::regclass[]);
CREATE TEMP TABLE calls AS SELECT * FROM vrm_private.test_runs_archive;

SELECT is(vrm_private.copy_on_nodes('vrm_private.test_runs_archive_2001_02'),
          'vrm_private.test_runs_archive_2001_02_nodes'::regclass, 'a copy is on its way');
SELECT is_empty($$SELECT relation FROM vrm_private.tenant_tables() WHERE relation::text ~ '_nodes'$$,
                'and not of any tenant');
SELECT ok(vrm_private.leave_to_nodes('vrm_private.test_runs_archive_2001_02'), 'it takes the place of the month');
SELECT set_eq($$SELECT * FROM vrm.fingerprint(ARRAY['vrm_private.test_runs_archive_2001_02']::regclass[])$$,
              'TABLE before', 'whose rows it has');
SELECT set_eq('SELECT * FROM vrm_private.test_runs_archive', 'TABLE calls', 'as they were, more than fit in one batch');
SELECT is((SELECT count(*) FROM pg_index WHERE indrelid = 'vrm_private.test_runs_archive'::regclass AND indisprimary),
          1::bigint, 'the archive has a key');
SELECT is(pg_temp.as_user(:'alice', 'SELECT count(*) FROM vrm.all_test_runs'), '300',
          'a user sees their own');
CREATE FUNCTION pg_temp.deleted(who uuid) RETURNS SETOF jsonb LANGUAGE sql AS $$
    DELETE FROM vrm_private.test_runs_archive WHERE user_id = who AND time_limit <= 2 RETURNING results
$$;
SELECT set_eq(format('SELECT pg_temp.deleted(%L)', :'alice'), $$VALUES ('{"n": 1}'::jsonb), ('{"n": 2}')$$,
              'rows are deleted, and returned');
SELECT is((SELECT count(*) FROM vrm_nodes.test_runs_archive_2001_02), 598::bigint, 'where they are');
UPDATE vrm_private.test_runs_archive SET batch_id = time_limit, error = NULL
WHERE user_id = :'bob' AND time_limit > 298;
SELECT set_eq('SELECT batch_id, results FROM vrm_nodes.test_runs_archive_2001_02 WHERE batch_id IS NOT NULL',
              $$VALUES (299::bigint, '{"n": 299}'::jsonb), (300, '{"n": 300}')$$, 'they are updated');
INSERT INTO vrm_private.test_runs_archive SELECT * FROM calls WHERE user_id = :'alice' AND time_limit <= 2;
SELECT is((SELECT count(*) FROM vrm_nodes.test_runs_archive_2001_02), 600::bigint, 'and inserted');
SELECT vrm.place_hold('lawsuit', user_id => :'bob') \g /dev/null
SELECT matches(pg_temp.failure(format('DELETE FROM vrm_private.test_runs_archive WHERE user_id = %L', :'bob')),
               '^55006 ', 'what is held stays');
SELECT matches(pg_temp.failure($$SELECT vrm.pack_archive('vrm_private.test_runs_archive_2001_02',
                                                        'vrm_private.test_runs_archive_rest', 0)$$),
               '^42809 ', 'below the executor there is nothing');
TRUNCATE vrm_private.test_runs_archive_2001_02;
SELECT is((SELECT count(*) FROM vrm_nodes.test_runs_archive_2001_02), 0::bigint, 'nothing is left after TRUNCATE');
SELECT finish();
ROLLBACK;
