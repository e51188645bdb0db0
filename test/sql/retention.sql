-- The archive: read with the live calls through one view, by their owner only.
BEGIN;
SELECT plan(5);
\ir include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob \gset
SELECT pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('reception')$$) AS agent \gset
SELECT pg_temp.as_user(:'alice', format('SELECT vrm.start_test_run(%L)', :'agent')) AS run \gset
INSERT INTO vrm_private.test_runs_archive (user_id, id, time_limit, status, started_at, completed_at, results)
    SELECT u, vrm.uuid7(), 60, 'completed', '2020-01-01', '2020-01-01', '{"duration": "1:00"}' FROM unnest(ARRAY[:'alice', :'bob']::uuid[]) AS u;

SELECT is(pg_temp.as_user(:'alice', $$SELECT string_agg(status || coalesce(' archived' || left(archived_at::text, 0), ''), ', ' ORDER BY started_at)
                                      FROM vrm.all_test_runs$$), 'completed archived, running', 'one view shows archived and live calls');
SELECT is(pg_temp.as_user(:'alice', 'SELECT count(*) FROM vrm.test_runs'), '1', 'the table only the live ones');
SELECT is(pg_temp.as_user(:'bob', 'SELECT count(*) FROM vrm.all_test_runs'), '1', 'to everybody his own');
SELECT is(pg_temp.as_user(:'alice', $$DELETE FROM vrm.all_test_runs$$), '55000', 'nothing is deleted through it');
SELECT is(pg_temp.as_role('service_role', NULL, 'SELECT count(*) FROM vrm.all_test_runs'), '3', 'the service sees all');

SELECT * FROM finish();
ROLLBACK;
