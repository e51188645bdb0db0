-- What can be wrong with privileges, triggers and functions: doctor finds each, one call puts all of it back exactly.
BEGIN;
SELECT plan(10);
\ir ../include/no_autovacuum.sql
SET LOCAL client_min_messages = warning;
CREATE ROLE vrm_test_reporter;
CREATE ROLE vrm_test_owner;

-- what an installation has noted, a database that was changed before it was upgraded notes as well
CREATE TEMP TABLE noted AS SELECT * FROM vrm_private.intended;
DELETE FROM vrm_private.intended;
SELECT is((SELECT d.fix_sql FROM vrm.doctor() d WHERE d.check_name = 'grants' AND d.detail LIKE 'what vrm means%'),
          'SELECT vrm.install();', 'doctor says when there is nothing to compare with');
GRANT USAGE ON TYPE vrm.secret TO vrm_test_reporter;
GRANT SELECT ON vrm.agents, vrm_private.sessions TO vrm_test_reporter;
REVOKE ALL ON vrm.metrics FROM authenticated;
CREATE TABLE vrm.vrm_test_notes (id bigserial);
SELECT vrm.install();
SELECT is_empty($$(TABLE noted EXCEPT TABLE vrm_private.intended)
                  UNION (SELECT * FROM vrm_private.intended WHERE object <> 'vrm.vrm_test_notes' EXCEPT TABLE noted)$$,
                'which is noted as by a new installation, whatever was granted or taken away');
DROP TABLE vrm.vrm_test_notes;
SELECT count(*) FROM vrm.repair() \g /dev/null
CREATE TABLE public.vrm_test_hooks (id bigint PRIMARY KEY, secret vrm.sealed);
SELECT vrm.seal_column('public.vrm_test_hooks', 'secret') IS NOT NULL AS sealed \gset
SELECT vrm.audit_enable('public.vrm_test_hooks');

CREATE FUNCTION pg_temp.findings() RETURNS TABLE (finding text) LANGUAGE sql AS $$
    SELECT concat(d.check_name, ' ', d.status, ': ', d.detail) FROM vrm.doctor() d
    WHERE d.check_name IN ('grants', 'policies', 'row_level_security', 'triggers', 'event_triggers', 'routines',
                           'roles', 'ownership', 'objects', 'search_path') AND d.status IN ('fail', 'warn')
$$;
CREATE TEMP TABLE state AS SELECT * FROM vrm_private.present_state();
CREATE FUNCTION pg_temp.privileges() RETURNS SETOF text LANGUAGE sql AS $$
    SELECT g::text FROM vrm_private.granted_privileges() g WHERE g.grantee <> session_user::regrole
$$;
CREATE TEMP TABLE privileges AS SELECT * FROM pg_temp.privileges();
SELECT is_empty('SELECT pg_temp.findings()', 'nothing is to be said of a new installation');

-- everything at once -----------------------------------------------------------------------------------------------

CREATE TEMP TABLE broken (how text, finding text);
INSERT INTO broken VALUES
    ('GRANT ALL ON SEQUENCE vrm.backup_runs_id_seq TO anon',
     'grants fail: anon has UPDATE on SEQUENCE vrm.backup_runs_id_seq, which vrm does not give'),
    ('GRANT SELECT ON SEQUENCE vrm_private.cached_results_made TO authenticated',
     'grants fail: authenticated has SELECT on SEQUENCE vrm_private.cached_results_made, which vrm does not give'),
    ('GRANT SELECT ON vrm.agents TO authenticated WITH GRANT OPTION',
     'grants fail: authenticated has GRANT OPTION FOR SELECT on TABLE vrm.agents, which vrm does not give'),
    ('SET LOCAL ROLE authenticated; GRANT SELECT ON vrm.agents TO vrm_test_reporter; RESET ROLE',
     'grants warn: vrm_test_reporter has SELECT on TABLE vrm.agents, which vrm does not give'),
    ('GRANT SELECT ON vrm.metrics TO vrm_test_reporter WITH GRANT OPTION',
     'grants warn: vrm_test_reporter has SELECT on TABLE vrm.metrics, which vrm does not give'),
    ('GRANT USAGE ON SCHEMA vrm TO vrm_test_reporter WITH GRANT OPTION; SET LOCAL ROLE vrm_test_reporter; '
     'GRANT SELECT ON vrm.metrics TO anon; RESET ROLE',
     'grants fail: anon has SELECT on TABLE vrm.metrics, which vrm does not give'),
    ('REVOKE ALL ON vrm.keyring_status FROM service_role',
     'grants warn: service_role SELECT on TABLE vrm.keyring_status is missing'),
    ('REVOKE EXECUTE ON ROUTINE vrm.rollup(vrm.call_stats) FROM service_role',
     'grants warn: service_role EXECUTE on ROUTINE vrm.rollup(vrm.call_stats) is missing'),
    ('REVOKE USAGE ON TYPE vrm.secret FROM PUBLIC', 'grants warn: PUBLIC USAGE on TYPE vrm.secret is missing'),
    ('ALTER DEFAULT PRIVILEGES IN SCHEMA vrm GRANT SELECT ON TABLES TO anon',
     'grants fail: anon has SELECT on every table that ' || current_user
     || ' makes in schema vrm, which vrm does not give'),
    ('ALTER DEFAULT PRIVILEGES IN SCHEMA vrm_private GRANT EXECUTE ON ROUTINES TO vrm_test_reporter',
     'grants warn: vrm_test_reporter has EXECUTE on every routine that ' || current_user
     || ' makes in schema vrm_private, which vrm does not give'),
    ('GRANT SET ON PARAMETER vrm.identity TO authenticated',
     'grants fail: authenticated has SET on setting vrm.identity, which vrm does not give'),
    ('GRANT SET ON PARAMETER session_replication_role TO vrm_test_reporter',
     'grants warn: vrm_test_reporter has SET on setting session_replication_role, which vrm does not give'),
    ('GRANT SELECT ON auth.users TO authenticated',
     'grants fail: authenticated has SELECT on table auth.users, which vrm does not give'),
    ('DROP TRIGGER refuse_truncate ON vrm.agents',
     'triggers fail: trigger refuse_truncate of vrm.agents is missing, or not what vrm means'),
    ('CREATE OR REPLACE TRIGGER guard_profile BEFORE UPDATE ON vrm.user_profiles FOR EACH ROW WHEN (false) '
     'EXECUTE FUNCTION vrm_private.guard_profile()',
     'triggers fail: trigger guard_profile of vrm.user_profiles is missing, or not what vrm means'),
    ('CREATE OR REPLACE TRIGGER refuse_truncate BEFORE INSERT ON vrm.metrics FOR EACH ROW '
     'EXECUTE FUNCTION suppress_redundant_updates_trigger()',
     'triggers fail: trigger refuse_truncate of vrm.metrics is missing, or not what vrm means'),
    ('ALTER TABLE auth.users DISABLE TRIGGER vrm_keep_profile',
     'triggers fail: trigger vrm_keep_profile of auth.users is disabled'),
    ('ALTER TABLE public.vrm_test_hooks DISABLE TRIGGER vrm_audit',
     'triggers fail: trigger vrm_audit of public.vrm_test_hooks is disabled'),
    ('ALTER ROLE authenticated SET session_replication_role = replica',
     'triggers fail: session_replication_role is "replica" (of role authenticated): no trigger fires'),
    ('ALTER EXTENSION vrm DROP EVENT TRIGGER vrm_guard_triggers; DROP EVENT TRIGGER vrm_guard_triggers',
     'event_triggers fail: event trigger vrm_guard_triggers is gone, or not what vrm means'),
    ('ALTER EXTENSION vrm DROP EVENT TRIGGER vrm_watch_columns; DROP EVENT TRIGGER vrm_watch_columns; '
     'CREATE EVENT TRIGGER vrm_watch_columns ON ddl_command_end WHEN TAG IN (''CREATE TYPE'') '
     'EXECUTE FUNCTION vrm.watch_columns(); ALTER EXTENSION vrm ADD EVENT TRIGGER vrm_watch_columns',
     'event_triggers fail: event trigger vrm_watch_columns is gone, or not what vrm means'),
    ('ALTER FUNCTION vrm.uid() VOLATILE',
     'routines fail: routine vrm.uid() of the extension is gone, or not as vrm has made it'),
    ('ALTER FUNCTION vrm.reveal(bytea, bytea) SECURITY '
     'DEFINER',
     'routines fail: routine vrm.reveal(bytea,bytea) of the extension is gone, or not as vrm has made it'),
    ('ALTER FUNCTION vrm_private.is_service() OWNER TO vrm_test_owner',
     'ownership fail: ROUTINE vrm_private.is_service() belongs to vrm_test_owner, who could have it run anything as '
     'superuser'),
    ('ALTER TABLE vrm.test_cases OWNER TO authenticated',
     'ownership fail: TABLE vrm.test_cases belongs to authenticated, who could have it run anything as superuser'),
    ('GRANT vrm_reveal TO anon', 'roles fail: role anon is a member of vrm_reveal, and has all its privileges');
GRANT USAGE ON SCHEMA vrm, public TO vrm_test_owner, vrm_test_reporter;
\ir ../include/broken.sql
SELECT is_empty('(TABLE state EXCEPT SELECT * FROM vrm_private.present_state()) '
                'UNION (SELECT * FROM vrm_private.present_state() EXCEPT TABLE state)', 'and all of it is as before');
SELECT is_empty('(TABLE privileges EXCEPT SELECT pg_temp.privileges()) '
                'UNION (SELECT pg_temp.privileges() EXCEPT TABLE privileges)',
                'whoever the owner of a table has been meanwhile');
SELECT is_empty('SELECT statement FROM repaired GROUP BY statement HAVING count(*) > 1', 'nothing was executed twice');

-- one that hangs on another --------------------------------------------------------------------------------------

ALTER FUNCTION vrm.may_act() RENAME TO might_act;
SELECT isnt_empty('SELECT vrm.repair()', 'a function that is gone comes back before the policies that call it');
ALTER EXTENSION vrm DROP FUNCTION vrm.might_act();
DROP FUNCTION vrm.might_act();
SELECT is_empty('(TABLE state EXCEPT SELECT * FROM vrm_private.present_state()) '
                'UNION (SELECT * FROM vrm_private.present_state() EXCEPT TABLE state)', 'with what was granted on it');

SELECT * FROM finish();
ROLLBACK;
