-- Settings that everybody may change decide what a literal and a definition say: nothing that decides depends on them.
-- A session parses a function once, so these settings come first.
BEGIN;
SELECT plan(10);
SET LOCAL standard_conforming_strings = off;
SET LOCAL escape_string_warning = off;
SET LOCAL quote_all_identifiers = on;
SET LOCAL intervalstyle = sql_standard;
SET LOCAL datestyle = 'SQL, DMY';
SET LOCAL timezone = 'Asia/Kathmandu';
SET LOCAL bytea_output = escape;
SET LOCAL extra_float_digits = -15;
\ir ../include/no_autovacuum.sql
\ir ../include/people.sql
\ir ../include/secrets.sql

SELECT throws_ok(format('SELECT vrm.sign_up(%L, ''a long password'')', address), '22023', 'the address is not valid',
                 'an address has neither spaces nor lines: ' || quote_literal(address))
FROM unnest(ARRAY[E'a\nBcc: b@example.org', 'a b@example.org']) AS address;
SELECT lives_ok($$SELECT vrm.sign_up('miss.sassy@example.org', 'a long password')$$, 'but every letter');
-- what other programs read
CREATE FUNCTION pg_temp.files() RETURNS TABLE (name text, content text) LANGUAGE sql AS $$
    VALUES ('prometheus_rules', vrm.prometheus_rules()), ('er_diagram', vrm.er_diagram()),
           ('grafana_dashboard', vrm.grafana_dashboard()), ('exporter_config', vrm.exporter_config())
$$;
CREATE TEMP TABLE files AS SELECT * FROM pg_temp.files();
SELECT lives_ok('SELECT vrm.monitoring_text(), vrm.report()', 'metrics and reports are made');
SELECT pg_temp.person('alice@example.org') AS alice \gset
SELECT set_config('request.jwt.claims', format('{"sub": "%s", "role": "authenticated", "aal": "aal2"}', :'alice'), true)
    \g /dev/null
SELECT vrm.audit_event('sealed under these settings') \g /dev/null
SELECT is_empty('SELECT * FROM vrm.audit_verify()', 'the trail is what it was');
SELECT is_empty($$SELECT detail FROM vrm.doctor() WHERE status IN ('fail', 'warn')
                    AND check_name IN ('grants', 'policies', 'row_level_security', 'triggers', 'event_triggers',
                                       'routines', 'search_path', 'columns', 'defaults', 'constraints',
                                       'indexes', 'views', 'rules')$$,
                'doctor finds nothing where nothing is');
ALTER POLICY "users manage their own metrics" ON vrm.metrics USING (true);
SELECT is((SELECT array_agg(check_name) FROM vrm.repair()), ARRAY['policies'], 'and puts back what was changed');
DELETE FROM vrm_private.intended;
SET LOCAL backslash_quote = off;
SELECT lives_ok('SELECT vrm.install()', 'the platform is made where no backslash escapes a quote');
SET LOCAL backslash_quote = safe_encoding;
SET LOCAL standard_conforming_strings = on;
SET LOCAL quote_all_identifiers = off;
SELECT is_empty($$SELECT detail FROM vrm.doctor() WHERE status IN ('fail', 'warn')
                    AND check_name IN ('grants', 'policies', 'row_level_security', 'triggers', 'event_triggers',
                                       'routines', 'search_path', 'columns', 'defaults', 'constraints',
                                       'indexes', 'views', 'rules')$$,
                'nor do others, with what was noted then');
SET LOCAL intervalstyle = postgres;
SET LOCAL datestyle = 'ISO, MDY';
SET LOCAL timezone = 'UTC';
SELECT is_empty('SELECT name FROM (TABLE files EXCEPT SELECT * FROM pg_temp.files()) AS f',
                'and files for other programs were the same');
SELECT * FROM finish();
ROLLBACK;
