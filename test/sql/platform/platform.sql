-- Library and platform: no member depends on the platform, and installing again repairs what is
-- missing without undoing what a DBA has changed.
BEGIN;
SELECT plan(41);
SET LOCAL client_min_messages = warning;

SELECT is_empty($$SELECT d.classid::regclass, d.objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
                AND e.extname = 'vrm'
                  WHERE d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass
                    AND d.classid NOT IN ('pg_proc'::regclass, 'pg_type'::regclass, 'pg_operator'::regclass,
                                          'pg_cast'::regclass,
                                          'pg_opclass'::regclass, 'pg_opfamily'::regclass, 'pg_am'::regclass,
                                          'pg_event_trigger'::regclass)$$,
                'no table, policy, trigger or schema is a member of the extension');
SELECT is_empty($$SELECT m.objid::regprocedure, d.refclassid::regclass, d.refobjid
                  FROM pg_depend m JOIN pg_extension e ON e.oid = m.refobjid AND e.extname = 'vrm'
                  JOIN pg_depend d ON d.classid = m.classid AND d.objid = m.objid AND d.deptype IN ('n', 'a')
                  LEFT JOIN pg_depend r ON r.classid = d.refclassid AND r.objid = d.refobjid AND r.deptype = 'e'
                  AND r.refobjid = e.oid
                  WHERE m.deptype = 'e' AND m.classid = 'pg_proc'::regclass AND r.objid IS NULL
                    AND d.refobjid > 16383 AND d.refclassid <> 'pg_namespace'::regclass$$,
                'no member depends on an object of the platform');
SELECT is(vrm.platform_version(), (SELECT extversion FROM pg_extension WHERE extname = 'vrm'),
          'platform and library are of one version');
SELECT is(vrm.install(), vrm.platform_version(), 'installing again changes no version');
SELECT is((SELECT count(*) FROM vrm_private.platform_history), 1::bigint, 'and leaves no second entry');

DELETE FROM vrm.test_case_templates WHERE name LIKE '%impatient%';
REVOKE SELECT ON vrm.agents FROM authenticated;
REVOKE EXECUTE ON FUNCTION vrm.live_calls() FROM authenticated;
DROP POLICY "users manage their own metrics" ON vrm.metrics;
DROP INDEX vrm.test_runs_agent;
ALTER POLICY "users access their own test runs" ON vrm.test_runs USING (false);
ALTER TABLE vrm.call_imports ALTER COLUMN payload SET COMPRESSION pglz;
SELECT vrm.install() \g /dev/null
SELECT is((SELECT count(*) FROM vrm.test_case_templates), 2::bigint, 'a template that was deleted stays away');
SELECT is(has_table_privilege('authenticated', 'vrm.agents', 'SELECT'), false, 'so does a privilege that was revoked');
SELECT is(has_function_privilege('authenticated', 'vrm.live_calls()', 'EXECUTE'), false, 'on functions, too');
SELECT policies_are('vrm', 'metrics',
                    ARRAY['users manage their own metrics', 'accounts in good standing only', 'viewers insert nothing',
                          'viewers update nothing', 'viewers delete nothing', 'ids and times are the server''s'],
                    'a policy that was lost comes back');
SELECT has_index('vrm', 'test_runs', 'test_runs_agent', 'and an index');
SELECT is((SELECT qual FROM pg_policies WHERE tablename = 'test_runs' AND permissive = 'PERMISSIVE'), 'false',
          'what a DBA has altered stays altered');
SELECT is((SELECT attcompression FROM pg_attribute
           WHERE attrelid = 'vrm.call_imports'::regclass AND attname = 'payload'), 'p'::"char",
          'and how a column is compressed, for which repairs need no lock then');

-- Bodies are checked when all functions are there.
CREATE FUNCTION pg_temp.platform_is(script text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE OR REPLACE FUNCTION vrm.platform_script() RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE '
                   'AS %L',
                   format('SELECT %L', script));
END $$;
SELECT pg_temp.platform_is($$CREATE OR REPLACE FUNCTION vrm.early() RETURNS int LANGUAGE sql AS 'SELECT vrm.late()';
                             CREATE OR REPLACE FUNCTION vrm.late() RETURNS int
                             LANGUAGE sql AS 'SELECT 42';$$) \g /dev/null
SELECT lives_ok('SELECT vrm.install()', 'a function may call one that the script makes later');
SELECT is(vrm.early(), 42, 'and finds it');
SELECT pg_temp.platform_is($$CREATE OR REPLACE FUNCTION vrm.early() RETURNS int LANGUAGE sql AS 'SELECT vrm.nowhere()';
                             CREATE OR REPLACE FUNCTION vrm.late() RETURNS int
                             LANGUAGE sql AS 'SELECT 42';$$) \g /dev/null
SELECT throws_ok('SELECT vrm.install()', '42883', 'function vrm.nowhere() does not exist',
                 'one that calls a function which never comes is an error');
SELECT pg_temp.platform_is($$CREATE OR REPLACE PROCEDURE vrm.late_call() LANGUAGE plpgsql AS 'BEGIN PERFORM 1 END';$$)
    \g /dev/null
SELECT throws_ok('SELECT vrm.install()', '42601', NULL, 'the body of a procedure is checked, too');
SELECT pg_temp.platform_is($$CREATE OR REPLACE FUNCTION vrm.early() RETURNS int
                           LANGUAGE sql SET search_path = vrm AS 'SELECT late()';$$) \g /dev/null
SELECT lives_ok('SELECT vrm.install()', 'a body is checked under the settings of its function');

-- An upgrade step is executed as it stands.
CREATE FUNCTION pg_temp.step_is(script text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE OR REPLACE FUNCTION vrm.platform_steps(OUT from_version text, OUT to_version text, OUT '
                   'script text)
                    RETURNS SETOF record LANGUAGE sql IMMUTABLE PARALLEL SAFE AS %L',
                   format('SELECT %L, extversion::text, %L FROM pg_extension WHERE extname = %L', '0.0.1', script,
                          'vrm'));
    UPDATE vrm_private.platform_history SET version = '0.0.1';
END $$;
CREATE TYPE vrm.kind AS ENUM ('old');
CREATE TABLE vrm.things (id int, name text DEFAULT 'old', gone int);
CREATE FUNCTION vrm.old_function() RETURNS int LANGUAGE sql AS 'SELECT 1';
REVOKE EXECUTE ON FUNCTION vrm.old_function() FROM PUBLIC;
SELECT pg_temp.platform_is($$CREATE TABLE IF NOT EXISTS vrm.new_things (id int); GRANT SELECT ON vrm.new_things TO anon;
                             ALTER TABLE vrm.things ALTER COLUMN name SET DEFAULT 'new';$$) \g /dev/null
SELECT pg_temp.step_is($$ALTER TABLE vrm.things ADD COLUMN IF NOT EXISTS colour text DEFAULT 'red', DROP COLUMN gone;
                         ALTER TABLE vrm.things ALTER COLUMN name SET DEFAULT 'new';
                         ALTER TABLE vrm.things ALTER COLUMN name SET NOT NULL;
                         ALTER TYPE vrm.kind ADD VALUE IF NOT EXISTS 'new';
                         CREATE TABLE vrm.new_things (id int);
                         CREATE OR REPLACE FUNCTION vrm.old_function() RETURNS int
                         LANGUAGE sql AS 'SELECT vrm.new_function()';
                         GRANT EXECUTE ON FUNCTION vrm.old_function() TO anon;
                         CREATE FUNCTION vrm.new_function() RETURNS int LANGUAGE sql AS 'SELECT 2';$$) \g /dev/null
SELECT lives_ok('SELECT vrm.upgrade()', 'given a step that alters, adds and drops');
SELECT columns_are('vrm', 'things', ARRAY['id', 'name', 'colour'], 'columns come and go');
SELECT col_default_is('vrm', 'things', 'name', 'new', 'a default that was there is another one');
SELECT col_not_null('vrm', 'things', 'name', 'a column is NOT NULL');
SELECT enum_has_labels('vrm', 'kind', ARRAY['old', 'new'], 'an enum has a new value');
SELECT is(has_function_privilege('anon', 'vrm.old_function()', 'EXECUTE'), true, 'GRANT holds for what was there');
SELECT is(has_table_privilege('anon', 'vrm.new_things', 'SELECT'), true, 'the script grants what the step has made');
SELECT is(vrm.old_function(), 2, 'functions of a step may call each other in any order');
CREATE ROLE vrm_somebody;
GRANT CREATE ON SCHEMA vrm TO vrm_somebody;
ALTER FUNCTION vrm.old_function() OWNER TO vrm_somebody;
SELECT pg_temp.step_is($$CREATE OR REPLACE FUNCTION vrm.old_function() RETURNS int LANGUAGE sql AS 'SELECT 3'$$)
    \g /dev/null
SELECT throws_ok('SELECT vrm.upgrade()', '42501', 'function vrm.old_function() belongs to an ordinary user',
                 'a step trusts no function of an ordinary user');
DROP FUNCTION vrm.old_function();

-- Views become those of the new version, and those of the same version stay as they were left.
SELECT pg_temp.step_is('SELECT 1') \g /dev/null
CREATE VIEW vrm.some_things WITH (security_barrier) AS SELECT id, name FROM vrm.things;
CREATE VIEW vrm.named_things AS SELECT name FROM vrm.some_things;
GRANT SELECT ON vrm.some_things TO anon WITH GRANT OPTION;
GRANT UPDATE (name) ON vrm.some_things TO authenticated;
GRANT SELECT ON vrm.named_things TO service_role;
COMMENT ON VIEW vrm.some_things IS 'of the DBA';
COMMENT ON COLUMN vrm.some_things.name IS 'what it is called';
SELECT pg_temp.platform_is($$CREATE VIEW vrm.some_things AS SELECT id, name, colour FROM vrm.things;
                             CREATE VIEW vrm.named_things AS SELECT name FROM vrm.some_things WHERE name <> '';
                             GRANT SELECT ON vrm.named_things TO authenticated;$$) \g /dev/null
UPDATE vrm_private.platform_history SET version = (SELECT extversion FROM pg_extension WHERE extname = 'vrm');
SELECT vrm.upgrade() \g /dev/null
SELECT columns_are('vrm', 'some_things', ARRAY['id', 'name'],
                   'given views that differ from the script, within a version they stay');
UPDATE vrm_private.platform_history SET version = '0.0.1';
SELECT vrm.upgrade() \g /dev/null
SELECT columns_are('vrm', 'some_things', ARRAY['id', 'name', 'colour'], 'an upgrade brings a new column');
SELECT matches(pg_get_viewdef('vrm.named_things'), 'WHERE', 'and a new condition');
SELECT is((SELECT reloptions FROM pg_class WHERE oid = 'vrm.some_things'::regclass), NULL,
          'and takes away an option that the script does not have');

SELECT pg_temp.platform_is($$CREATE VIEW vrm.some_things AS SELECT name, upper(colour) AS colour FROM vrm.things;
                             COMMENT ON VIEW vrm.some_things IS 'of the script';
                             CREATE VIEW vrm.named_things AS SELECT name FROM vrm.some_things WHERE name <> '';
                             GRANT SELECT ON vrm.named_things TO authenticated;$$) \g /dev/null
UPDATE vrm_private.platform_history SET version = '0.0.1';
SELECT vrm.upgrade() \g /dev/null
SELECT columns_are('vrm', 'some_things', ARRAY['name', 'colour'], 'a view that cannot be replaced is made anew');
SELECT is(has_table_privilege('anon', 'vrm.some_things', 'SELECT WITH GRANT OPTION'), true, 'with its privileges');
SELECT is(has_column_privilege('authenticated', 'vrm.some_things', 'name', 'UPDATE'), true, 'also those on columns');
SELECT is(obj_description('vrm.some_things'::regclass), 'of the DBA', 'its comment');
SELECT is(col_description('vrm.some_things'::regclass, 1), 'what it is called', 'and those of its columns');
SELECT is(has_table_privilege('service_role', 'vrm.named_things', 'SELECT'), true,
          'a view that leans on it comes back with its privileges');
SELECT is(has_table_privilege('authenticated', 'vrm.named_things', 'SELECT'), false, 'and with no others');

CREATE VIEW public.of_the_dba AS SELECT name FROM vrm.some_things;
SELECT pg_temp.platform_is('CREATE VIEW vrm.some_things AS SELECT id FROM vrm.things') \g /dev/null
UPDATE vrm_private.platform_history SET version = '0.0.1';
PREPARE upgrade AS SELECT vrm.upgrade();
SELECT throws_ok('upgrade', '2BP01', 'view vrm.some_things cannot be replaced because other objects depend on it',
                 'a view of the DBA in the way is an error');
DROP VIEW public.of_the_dba, vrm.named_things;
SELECT lives_ok('upgrade', 'without it the upgrade goes on');

UPDATE vrm_private.platform_history SET version = '0.0.2';
SELECT throws_ok('SELECT vrm.install()', '55000', 'the platform is at version 0.0.2',
                 'an old platform is upgraded, not installed over');
SELECT throws_ok('SELECT vrm.upgrade()', '55000', NULL, 'where there is no way, upgrade says so');

SELECT * FROM finish();
ROLLBACK;
