-- Backup: what a server without an archive says of itself; with one: test/cluster/093_rpo.pl
BEGIN;
SELECT plan(4);
\ir include/people.sql

SELECT is((SELECT row(state, exposure_seconds, unarchived_bytes, waiting_segments)::text FROM vrm.rpo()), '(off,,,)',
          'without archive_mode there is nothing to measure');
SELECT is(pg_temp.as_role('pg_monitor', NULL, 'SELECT state FROM vrm.rpo()'), 'off', 'a monitoring role may ask');
SELECT is(pg_temp.as_role('pg_monitor', NULL, 'SELECT vrm.first_commit(''0/0'', 1)'), '42501', 'but not read the WAL');
SELECT is(pg_temp.as_user(NULL, 'SELECT state FROM vrm.rpo()'), '42501', 'users may not');

SELECT * FROM finish();
ROLLBACK;
