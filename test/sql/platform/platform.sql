-- Library and platform: no member depends on the platform, and installing again repairs what is
-- missing without undoing what a DBA has changed.
BEGIN;
SELECT plan(18);
SET LOCAL client_min_messages = warning;

SELECT is_empty($$SELECT d.classid::regclass, d.objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'vrm'
                  WHERE d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass
                    AND d.classid NOT IN ('pg_proc'::regclass, 'pg_type'::regclass, 'pg_operator'::regclass, 'pg_cast'::regclass,
                                          'pg_opclass'::regclass, 'pg_opfamily'::regclass, 'pg_am'::regclass, 'pg_event_trigger'::regclass)$$,
                'no table, policy, trigger or schema is a member of the extension');
SELECT is_empty($$SELECT m.objid::regprocedure, d.refclassid::regclass, d.refobjid
                  FROM pg_depend m JOIN pg_extension e ON e.oid = m.refobjid AND e.extname = 'vrm'
                  JOIN pg_depend d ON d.classid = m.classid AND d.objid = m.objid AND d.deptype IN ('n', 'a')
                  LEFT JOIN pg_depend r ON r.classid = d.refclassid AND r.objid = d.refobjid AND r.deptype = 'e' AND r.refobjid = e.oid
                  WHERE m.deptype = 'e' AND m.classid = 'pg_proc'::regclass AND r.objid IS NULL
                    AND d.refobjid > 16383 AND d.refclassid <> 'pg_namespace'::regclass$$,
                'no member depends on an object of the platform');
SELECT is(vrm.platform_version(), (SELECT extversion FROM pg_extension WHERE extname = 'vrm'), 'platform and library are of one version');
SELECT is(vrm.install(), vrm.platform_version(), 'installing again changes no version');
SELECT is((SELECT count(*) FROM vrm_private.platform_history), 1::bigint, 'and leaves no second entry');

DELETE FROM vrm.test_case_templates WHERE name LIKE '%impatient%';
REVOKE SELECT ON vrm.agents FROM authenticated;
REVOKE EXECUTE ON FUNCTION vrm.live_calls() FROM authenticated;
DROP POLICY "users manage their own metrics" ON vrm.metrics;
DROP INDEX vrm.test_runs_agent;
ALTER POLICY "users access their own test runs" ON vrm.test_runs USING (false);
SELECT vrm.install() \g /dev/null
SELECT is((SELECT count(*) FROM vrm.test_case_templates), 2::bigint, 'a template that was deleted stays away');
SELECT is(has_table_privilege('authenticated', 'vrm.agents', 'SELECT'), false, 'so does a privilege that was revoked');
SELECT is(has_function_privilege('authenticated', 'vrm.live_calls()', 'EXECUTE'), false, 'on functions, too');
SELECT policies_are('vrm', 'metrics',
                    ARRAY['users manage their own metrics', 'accounts in good standing only'],
                    'a policy that was lost comes back');
SELECT has_index('vrm', 'test_runs', 'test_runs_agent', 'and an index');
SELECT is((SELECT qual FROM pg_policies WHERE tablename = 'test_runs' AND permissive = 'PERMISSIVE'), 'false', 'what a DBA has altered stays altered');

-- Bodies are checked when all functions are there.
CREATE FUNCTION pg_temp.platform_is(script text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE OR REPLACE FUNCTION vrm.platform_script() RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS %L',
                   format('SELECT %L', script));
END $$;
SELECT pg_temp.platform_is($$CREATE OR REPLACE FUNCTION vrm.early() RETURNS int LANGUAGE sql AS 'SELECT vrm.late()';
                             CREATE OR REPLACE FUNCTION vrm.late() RETURNS int LANGUAGE sql AS 'SELECT 42';$$) \g /dev/null
SELECT lives_ok('SELECT vrm.install()', 'a function may call one that the script makes later');
SELECT is(vrm.early(), 42, 'and finds it');
SELECT pg_temp.platform_is($$CREATE OR REPLACE FUNCTION vrm.early() RETURNS int LANGUAGE sql AS 'SELECT vrm.nowhere()';
                             CREATE OR REPLACE FUNCTION vrm.late() RETURNS int LANGUAGE sql AS 'SELECT 42';$$) \g /dev/null
SELECT throws_ok('SELECT vrm.install()', '42883', 'function vrm.nowhere() does not exist', 'one that calls a function which never comes is an error');
SELECT pg_temp.platform_is($$CREATE OR REPLACE PROCEDURE vrm.late_call() LANGUAGE plpgsql AS 'BEGIN PERFORM 1 END';$$) \g /dev/null
SELECT throws_ok('SELECT vrm.install()', '42601', NULL, 'the body of a procedure is checked, too');
SELECT pg_temp.platform_is($$CREATE OR REPLACE FUNCTION vrm.early() RETURNS int LANGUAGE sql SET search_path = vrm AS 'SELECT late()';$$) \g /dev/null
SELECT lives_ok('SELECT vrm.install()', 'a body is checked under the settings of its function');

UPDATE vrm_private.platform_history SET version = '0.0.1';
SELECT throws_ok('SELECT vrm.install()', '55000', 'the platform is at version 0.0.1', 'an old platform is upgraded, not installed over');
SELECT throws_ok('SELECT vrm.upgrade()', '55000', NULL, 'where there is no way, upgrade says so');

SELECT * FROM finish();
ROLLBACK;
