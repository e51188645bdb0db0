-- Maintenance: what its time has come for, and that a step which fails neither stops nor hides anything.
-- vrm.maintain() itself, which commits, is tested in test/cluster/operations.
BEGIN;
SELECT plan(15);
\ir ../include/people.sql

-- what runs now -----------------------------------------------------------------------------------------

DELETE FROM vrm.retention_runs;
CREATE FUNCTION pg_temp.is_due(policy text) RETURNS boolean LANGUAGE sql AS
    $$ SELECT policy = ANY (vrm_private.policies_to_run()) $$;
CREATE FUNCTION pg_temp.ran(policy text, state text, ago interval) RETURNS void LANGUAGE sql AS $$
    INSERT INTO vrm.retention_runs (policy, state, cutoff, as_of, started_at, finished_at)
    VALUES (policy, state, now() - ago, now() - ago, now() - ago, now() - ago)
$$;
SELECT ok(pg_temp.is_due('logs.error'), 'a policy that has never run is due');
SELECT ok(NOT pg_temp.is_due('calls.active'), 'not one that keeps for ever');
SELECT pg_temp.ran('logs.error', 'done', '1 minute') \g /dev/null
SELECT ok(NOT pg_temp.is_due('logs.error'), 'nor one that has run');
UPDATE vrm.retention_runs SET started_at = started_at - p.every FROM vrm.retention_policies p WHERE p.name = policy;
SELECT ok(pg_temp.is_due('logs.error'), 'until its time has come again');
SELECT pg_temp.ran('logs.error', 'failed', '1 minute') \g /dev/null
SELECT ok(pg_temp.is_due('logs.error'), 'one that has failed is tried again');
SELECT is((vrm_private.policies_to_run())[cardinality(vrm_private.policies_to_run())], 'logs.error',
          'behind those that wait');
SELECT pg_temp.ran('calls.failed', 'done', '-1 day') \g /dev/null
SELECT ok(pg_temp.is_due('calls.failed'), 'what a wrong clock has noted for tomorrow has not happened');
UPDATE vrm.retention_policies SET enabled = false WHERE name = 'calls.failed';
SELECT ok(NOT pg_temp.is_due('calls.failed'), 'what is switched off is not due');

-- steps -------------------------------------------------------------------------------------------------

SET LOCAL client_min_messages = error;
SELECT is(vrm_private.maintenance_step('seals', 'SELECT 3'), 3::bigint, 'a step says how much it has done');
SELECT is(vrm_private.maintenance_step('seals', 'SELECT NULL::bigint'), 0::bigint, 'or that there was nothing');
SELECT is(vrm_private.maintenance_step('seals', 'DELETE FROM vrm.retention_policies RETURNING 1/0')
          + vrm_private.maintenance_step('seals', 'SELECT 1/0'), 0::bigint, 'one that fails has done nothing');
SELECT is((SELECT concat_ws(' ', step, sqlstate, message, failures) FROM vrm.maintenance_failures),
          'seals 22012 division by zero 2', 'which is noted');
SELECT isnt_empty('SELECT * FROM vrm.retention_policies', 'and rolled back');
SELECT vrm_private.maintenance_step('seals', 'SELECT 1') \g /dev/null
SELECT is_empty('SELECT * FROM vrm.maintenance_failures', 'it is forgotten once it goes well');
SELECT is(pg_temp.as_role('authenticated', NULL, 'SELECT count(*) FROM vrm.maintenance_failures')
          || pg_temp.as_role('authenticated', NULL, 'CALL vrm.maintain()'), '4250142501', 'it is nothing for users');

SELECT * FROM finish();
ROLLBACK;
