-- Privileges as data: doctor compares all there is with what was installed, and one call puts it back.
BEGIN;
SELECT plan(23);
\ir ../include/no_autovacuum.sql
SET LOCAL client_min_messages = warning;

CREATE FUNCTION pg_temp.findings(VARIADIC names text[]) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT d.detail FROM vrm.doctor() d WHERE d.check_name = ANY (names) AND d.status IN ('fail', 'warn') ORDER BY 1
$$;
CREATE FUNCTION pg_temp.all_findings() RETURNS SETOF text LANGUAGE sql AS $$
    SELECT pg_temp.findings('grants', 'policies', 'row_level_security', 'triggers', 'event_triggers', 'routines')
$$;
CREATE FUNCTION pg_temp.mend() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    fix text;
BEGIN
    FOR fix IN SELECT fix_sql FROM vrm.doctor() WHERE fix_sql IS NOT NULL AND status IN ('fail', 'warn')
               AND check_name IN ('grants', 'policies', 'row_level_security', 'triggers', 'event_triggers',
                                  'routines') LOOP
        EXECUTE fix;
    END LOOP;
END
$$;
SELECT is_empty($$SELECT pg_temp.all_findings()$$, 'nothing is to be said of a new installation');

GRANT UPDATE ON vrm.user_profiles TO authenticated;
SELECT is(pg_temp.findings('grants'), 'authenticated has UPDATE on TABLE vrm.user_profiles, which vrm does not give',
          'a privilege on a table is found, although some of its columns have it');
SELECT pg_temp.mend();
SELECT is_empty($$SELECT pg_temp.all_findings()$$, 'and its fix takes it back');
SELECT ok(has_column_privilege('authenticated', 'vrm.user_profiles', 'full_name', 'UPDATE')
          AND NOT has_column_privilege('authenticated', 'vrm.user_profiles', 'role', 'UPDATE'),
          'but leaves the columns that are meant to have it');

CREATE ROLE vrm_test_reporter;
GRANT EXECUTE ON FUNCTION vrm.jwk_import(jsonb, text, text) TO vrm_test_reporter, anon;
SELECT is((SELECT array_agg(d.status || ' ' || d.fix_sql ORDER BY d.fix_sql)
           FROM vrm.doctor() d WHERE d.check_name = 'grants'),
          ARRAY['fail REVOKE EXECUTE ON ROUTINE vrm.jwk_import(jsonb,text,text) FROM anon;',
                'warn REVOKE EXECUTE ON ROUTINE vrm.jwk_import(jsonb,text,text) FROM vrm_test_reporter;'],
          'EXECUTE of named roles is found');
SELECT pg_temp.mend();
REVOKE SELECT ON vrm.agents FROM authenticated;
SELECT is(pg_temp.findings('grants'), 'authenticated SELECT on TABLE vrm.agents is missing',
          'and so is one that was taken away');
SELECT pg_temp.mend();
SELECT ok(has_table_privilege('authenticated', 'vrm.agents', 'SELECT'), 'which comes back');

GRANT SELECT ON vrm.logs_error_rest TO authenticated;
SELECT is(pg_temp.findings('grants'), 'authenticated has SELECT on TABLE vrm.logs_error_rest, which vrm does not give',
          'partitions are looked at, too');
SELECT pg_temp.mend();

ALTER POLICY "users access their own test runs" ON vrm.test_runs USING (true);
SELECT is(pg_temp.findings('policies'),
          'policy "users access their own test runs" of vrm.test_runs is missing, or not what vrm means',
          'a policy of the same name that says something else is found');
DROP POLICY "accounts in good standing only" ON vrm.test_runs;
SELECT pg_temp.mend();
SELECT is_empty($$SELECT pg_temp.all_findings()$$, 'and made anew, as is one that was dropped');

ALTER EVENT TRIGGER vrm_watch_columns DISABLE;
SELECT is(pg_temp.findings('event_triggers'), 'event trigger vrm_watch_columns is not enabled as it should be',
          'an event trigger that is disabled is found');
SELECT pg_temp.mend();
ALTER EVENT TRIGGER vrm_watch_columns ENABLE REPLICA;
SELECT isnt_empty($$SELECT pg_temp.findings('event_triggers')$$, 'or fires on replicas only');
ALTER TABLE vrm.test_runs ENABLE REPLICA TRIGGER refuse_held;
SELECT is(pg_temp.findings('triggers'), 'trigger refuse_held of vrm.test_runs is not enabled as it should be',
          'and so are triggers');
ALTER TABLE vrm.agents DISABLE ROW LEVEL SECURITY;
SELECT ok('row level security of vrm.agents is off' IN (SELECT pg_temp.findings('row_level_security')),
          'and row level security');
CREATE OR REPLACE FUNCTION vrm_private.is_admin() RETURNS boolean LANGUAGE sql AS 'SELECT true';
SELECT is(pg_temp.findings('routines'), 'routine vrm_private.is_admin() is not as vrm has made it', 'and routines');

-- what Supabase's guide for custom schemas says
GRANT USAGE ON SCHEMA vrm TO anon, authenticated, service_role;
GRANT ALL ON ALL TABLES IN SCHEMA vrm TO anon, authenticated, service_role;
GRANT ALL ON ALL ROUTINES IN SCHEMA vrm TO anon, authenticated, service_role;
GRANT ALL ON ALL SEQUENCES IN SCHEMA vrm TO anon, authenticated, service_role;
SELECT cmp_ok((SELECT count(*) FROM pg_temp.all_findings()), '>', 500::bigint, 'wide grants are all found');
SELECT isnt_empty($$SELECT * FROM vrm.repair()$$, 'one call puts everything back');
SELECT is_empty($$SELECT pg_temp.all_findings()$$, 'with nothing left to say');

SET LOCAL ROLE service_role;
SELECT throws_ok('SELECT * FROM vrm.repair()', '42501', NULL, 'nobody but a superuser may');
RESET ROLE;

-- publications
SET LOCAL client_min_messages = error;
CREATE PUBLICATION everything FOR ALL TABLES;
SELECT matches(pg_temp.findings('publications'), '^publication "everything" shows auth.users and \d+ tables more, ',
               'a publication of all tables shows too much');
DROP PUBLICATION everything;
CREATE PUBLICATION few FOR TABLE vrm.test_runs, vrm_private.keyring, vrm_private.lockout_secret;
SELECT is((SELECT fix_sql FROM vrm.doctor() WHERE check_name = 'publications'),
          'ALTER PUBLICATION few DROP TABLE vrm_private.lockout_secret;', 'what is named is taken out by name');
SELECT fix_sql AS fix FROM vrm.doctor() WHERE check_name = 'publications' \gset
:fix
SELECT is_empty($$SELECT pg_temp.findings('publications')$$, 'and what a subscriber of ours needs stays');
SET LOCAL client_min_messages = warning;

CREATE POLICY mine ON vrm.agents FOR SELECT TO vrm_test_reporter USING (true);
SELECT is((SELECT d.status || ': ' || d.detail FROM vrm.doctor() d WHERE d.check_name = 'policies'),
          'info: policy "mine" of vrm.agents is not of vrm', 'a policy of somebody else is named, and stays');

SELECT * FROM finish();
ROLLBACK;
