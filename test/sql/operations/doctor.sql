-- The doctor: damage is found, and the statement that comes with the finding mends it.  What a whole
-- server is set to is in test/cluster/operations/doctor.pl.
BEGIN;
SELECT plan(77);
SET LOCAL client_min_messages = warning;
SELECT current_database() AS db \gset

-- Damages, looks for the finding, runs its fix and looks again; returns how the finding was judged.
CREATE FUNCTION pg_temp.mended(damage text, wanted_check text, wanted_detail text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    finding record;
BEGIN
    EXECUTE damage;
    SELECT * INTO finding FROM vrm.doctor() d WHERE d.check_name = wanted_check AND d.status <> 'ok'
        AND d.detail ~ wanted_detail;
    IF NOT FOUND THEN
        RETURN 'not found';
    END IF;
    EXECUTE coalesce(finding.fix_sql, 'SELECT 1');
    IF EXISTS (SELECT FROM vrm.doctor() d WHERE d.check_name = wanted_check AND d.status <> 'ok'
               AND d.detail = finding.detail) THEN
        RETURN 'still there after ' || finding.fix_sql;
    END IF;
    RETURN finding.status;
END
$$;
CREATE FUNCTION pg_temp.status_of(wanted_check text) RETURNS text LANGUAGE sql AS
    $$ SELECT string_agg(DISTINCT status, ' ') FROM vrm.doctor() WHERE check_name = wanted_check $$;

-- what it is -----------------------------------------------------------------------------------------

SELECT is(vrm.version(), (SELECT extversion FROM pg_extension WHERE extname = 'vrm'), 'the module knows its version');
SELECT ok(b.version = vrm.version() AND b.compiler ~ '\d+\.\d+' AND b.openssl_built ~ '^OpenSSL 3'
          AND b.openssl_running ~ '^OpenSSL 3'
          AND split_part(b.postgresql_built, '.', 1) = split_part(b.postgresql_running, '.', 1)
          AND b.postgresql_running = current_setting('server_version'), 'and what it was built with and for')
FROM vrm.build_info() AS b;
SELECT is_empty($$SELECT check_name, detail FROM vrm.doctor() WHERE status <> 'ok' AND check_name NOT IN
                  ('master_key', 'keyring', 'identity', 'durability', 'archiving', 'checksums',
                   'statement_statistics') AND status <> 'unknown'$$,
                'a fresh installation has nothing wrong with it but what a server has to be told');
SELECT is_empty($$SELECT check_name FROM vrm.doctor() WHERE status NOT IN ('ok', 'warn', 'fail', 'unknown')
                  OR detail IS NULL OR status <> 'ok' AND hint IS NULL AND fix_sql IS NULL
                  OR status = 'ok' AND fix_sql IS NOT NULL$$,
                'every finding says what is wrong and what to do, everything else that it is well');
SELECT is((SELECT count(DISTINCT check_name) FROM vrm.doctor()), 45::bigint, 'every check says something');

-- versions and objects ---------------------------------------------------------------------------------

UPDATE pg_extension SET extversion = '0.0.1' WHERE extname = 'vrm';
SELECT is((SELECT fix_sql FROM vrm.doctor() WHERE check_name = 'version' AND detail ~ 'members are of version 0.0.1'),
          'ALTER EXTENSION vrm UPDATE;',
          'members of another version than the files are updated');
UPDATE pg_extension SET extversion = vrm.version() WHERE extname = 'vrm';
SELECT is(pg_temp.mended('DROP POLICY "users manage their own metrics" ON vrm.metrics', 'objects',
                         'CREATE POLICY "users manage their own metrics"'), 'fail', 'a policy');
SELECT is(pg_temp.mended('DROP POLICY "accounts in good standing only" ON vrm.agents', 'objects',
                         'vrm.agents lacks the policy'), 'fail', 'the policy of all tables');
SELECT is(pg_temp.mended('DROP TRIGGER record_facts ON vrm.test_runs', 'objects', 'CREATE TRIGGER record_facts'),
          'fail', 'a trigger');
SELECT is(pg_temp.mended('DROP INDEX vrm.test_runs_agent', 'objects', 'CREATE INDEX IF NOT EXISTS test_runs_agent'),
          'fail', 'an index');
SELECT is(pg_temp.mended('DROP FUNCTION vrm.live_calls() CASCADE', 'objects', 'FUNCTION vrm.live_calls'), 'fail',
          'a function');
SELECT is(pg_temp.mended('DROP VIEW vrm.retention_progress', 'objects', 'VIEW vrm.retention_progress'), 'fail',
          'a view');
SELECT is(pg_temp.mended('DROP TABLE vrm.api_key_uses', 'objects', 'TABLE IF NOT EXISTS vrm.api_key_uses'), 'fail',
          'a table');
SELECT is(pg_temp.mended('ALTER TABLE vrm.agents ALTER COLUMN user_id DROP DEFAULT', 'objects',
                         'vrm.agents ALTER COLUMN user_id SET DEFAULT'), 'fail', 'a default');
SELECT is(pg_temp.mended('ALTER DOMAIN vrm.sealed DROP CONSTRAINT is_sealed', 'objects',
                         'DOMAIN vrm.sealed ADD CONSTRAINT'), 'fail', 'a constraint of a domain');
SELECT is(pg_temp.mended('ALTER TABLE vrm.metrics DISABLE ROW LEVEL SECURITY', 'objects',
                         'ALTER TABLE vrm.metrics ENABLE ROW LEVEL'), 'fail', 'row level security');
SELECT is(pg_temp.mended((SELECT format('DROP TRIGGER %I ON %s', trigger_name, relation)
                          FROM vrm_private.sealed_triggers() WHERE relation = 'vrm.api_keys'::regclass),
                         'objects', 'column vrm.api_keys.key takes plaintext'), 'fail',
                         'the trigger of a sealed column');
SELECT is(pg_temp.mended('ALTER TABLE vrm.test_runs DISABLE TRIGGER record_facts', 'triggers',
                         'record_facts of vrm.test_runs'), 'fail', 'a trigger that is disabled');
SELECT is(pg_temp.mended('ALTER TABLE vrm.agents ADD CONSTRAINT short CHECK (length(agent_id) < 99) NOT VALID',
                         'constraints', 'short of vrm.agents'), 'warn',
          'a constraint that is not valid');
SELECT is(pg_temp.mended($$UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'vrm.agents_agent_id'::regclass$$,
                         'indexes', 'vrm.agents_agent_id is not valid'),
          'fail', 'an index that is not valid');

-- roles and privileges -----------------------------------------------------------------------------------

SELECT is(pg_temp.mended(format('ALTER ROLE %s', what), 'roles',
                         split_part(what, ' ', 1) || ' has ' || split_part(what, ' ', 2)), 'fail',
          'ALTER ROLE ' || what)
FROM unnest(ARRAY['anon SUPERUSER', 'authenticated BYPASSRLS', 'authenticated LOGIN', 'service_role CREATEROLE',
                  'anon CREATEDB', 'anon REPLICATION']) AS what;
SELECT is(pg_temp.mended('ALTER ROLE service_role NOBYPASSRLS', 'roles', 'service_role lacks BYPASSRLS'), 'fail',
          'service_role without BYPASSRLS');
SELECT is(pg_temp.mended('GRANT service_role TO authenticated', 'roles', 'authenticated is a member of service_role'),
          'fail', 'authenticated a member of another role');
CREATE ROLE doctor_patient;
SELECT is(pg_temp.mended('GRANT pg_read_server_files TO doctor_patient', 'server_files',
                         'doctor_patient is a member of'), 'warn', 'a role that reads files');
SELECT is(pg_temp.mended('GRANT ' || what, 'grants', detail), 'fail', 'GRANT ' || what)
FROM (VALUES ('SELECT ON vrm.agents TO PUBLIC', 'PUBLIC has SELECT on table vrm.agents'),
             ('EXECUTE ON FUNCTION vrm.live_calls() TO PUBLIC', 'PUBLIC has EXECUTE on routine vrm.live_calls'),
             ('SELECT (agent_id) ON vrm.agents TO anon', 'anon has SELECT .agent_id. on table vrm.agents'),
             ('TRUNCATE ON vrm.agents TO authenticated', 'authenticated has TRUNCATE on table vrm.agents'),
             ('USAGE ON SCHEMA vrm_private TO authenticated', 'authenticated has USAGE on schema vrm_private'),
             ('CREATE ON SCHEMA vrm TO service_role', 'service_role has CREATE on schema vrm')) AS g (what, detail);
CREATE TABLE vrm.notes (id int, "odd name" text);
GRANT SELECT ("odd name") ON vrm.notes TO anon;
SELECT is(pg_temp.mended('SELECT 1', 'grants', 'anon has SELECT ."odd name". on table vrm.notes'), 'fail',
          'names are quoted in fixes');
SELECT is(pg_temp.mended('GRANT SELECT ON vrm.notes TO authenticated', 'row_level_security',
                         'vrm.notes can be reached'), 'fail', 'a table of a DBA without row level security');
SELECT is(pg_temp.mended('CREATE VIEW vrm.open AS SELECT * FROM vrm.agents', 'row_level_security',
                         'view vrm.open reads as its owner'), 'fail', 'a view that policies do not hold');
SELECT is(pg_temp.mended('ALTER FUNCTION vrm.begin_attempt(text, vrm.attempt_kind, inet, text) RESET search_path',
                         'search_path', 'vrm.begin_attempt'), 'fail',
          'a definer function that pins no search_path');
SELECT is(pg_temp.mended(format('ALTER %s OWNER TO doctor_patient', what), 'ownership',
                         what || ' belongs to doctor_patient'), 'fail', 'another owner: ' || what)
FROM unnest(ARRAY['TABLE vrm.agents', 'SCHEMA vrm_private', 'VIEW vrm.calls']) AS what;

-- settings of the database and of roles --------------------------------------------------------------------

ALTER DATABASE :"db" SET log_min_duration_statement = 500;
SELECT is(pg_temp.mended(format('ALTER %s SET %s', place, change), check_name, detail), status,
          change || ' for a ' || lower(split_part(place, ' ', 1)))
FROM (VALUES ('DATABASE ' || quote_ident(:'db'), 'log_statement = ''all''', 'statement_log',
              'log_statement is "all" .of this database', 'warn'),
             ('ROLE doctor_patient', 'vrm.session_login = on', 'identity',
              'vrm.session_login is "on" .of role doctor_patient', 'fail'),
             ('ROLE doctor_patient IN DATABASE ' || quote_ident(:'db'), 'password_encryption = ''md5''',
              'password_encryption', 'of role doctor_patient in this database', 'warn'),
             ('DATABASE ' || quote_ident(:'db'), 'vrm.secret_literals = allow', 'secret_literals', 'allow', 'warn'),
             ('DATABASE ' || quote_ident(:'db'), 'vrm.lockout_durability = async', 'lockout', 'async', 'warn'),
             ('DATABASE ' || quote_ident(:'db'), 'row_security = off', 'row_security', 'off', 'fail'),
             ('DATABASE ' || quote_ident(:'db'), 'log_parameter_max_length = -1', 'parameter_log',
              'log_parameter_max_length is "-1"', 'warn'),
             ('DATABASE ' || quote_ident(:'db'), 'log_parameter_max_length_on_error = -1', 'parameter_log', 'on_error',
              'warn'))
     AS s (place, change, check_name, detail, status);
ALTER DATABASE :"db" SET vrm.trusted_logins = 'doctor_patient, authenticated, nobody_of_that_name';
SELECT is(pg_temp.mended('SELECT 1', 'trusted_logins', '"authenticated": whoever may connect'), 'fail',
          'a role that people take is no trusted login');
SELECT is((SELECT string_agg(value, ' ') FROM vrm_private.setting_values('vrm.trusted_logins')), 'doctor_patient',
          'the others stay');
ALTER DATABASE :"db" SET vrm.trusted_logins = 'nobody_of_that_name';
SELECT is(pg_temp.mended('SELECT 1', 'trusted_logins', '"nobody_of_that_name".*no such role'), 'warn',
          'nor is one that does not exist');
SELECT is(pg_temp.mended(format('CREATE ROLE old_password LOGIN PASSWORD %L', 'md5' || repeat('0', 32)),
                         'password_encryption', 'never'), 'not found', 'another detail is not found');
SELECT is(pg_temp.status_of('password_encryption'), 'warn', 'a password that is kept as an MD5 hash');

-- maintenance -----------------------------------------------------------------------------------------------

-- what a sequence says outlives the transaction, hence a function in its place
CREATE OR REPLACE FUNCTION vrm_private.last_visit() RETURNS timestamptz LANGUAGE sql STABLE AS
    $$ SELECT nullif(current_setting('test.visit', true), '')::timestamptz $$;
CREATE OR REPLACE FUNCTION vrm_private.visits_since() RETURNS timestamptz LANGUAGE sql STABLE AS
    $$ SELECT current_setting('test.since')::timestamptz $$;
SELECT set_config('test.since', (now() - interval '14 minutes')::text, true) AS since \gset
SELECT is(pg_temp.status_of('maintenance'), 'unknown', 'nobody knows yet whether vrm.maintain() is called');
SELECT is(pg_temp.status_of('retention'), 'unknown', 'nor whether retention works');
SELECT set_config('test.since', (now() - interval '16 minutes')::text, true) AS since \gset
SELECT is(pg_temp.status_of('maintenance'), 'fail', 'nobody has ever called vrm.maintain()');
SELECT set_config('test.visit', (now() - interval '16 minutes')::text, true) AS visit \gset
SELECT is(pg_temp.status_of('maintenance'), 'fail', 'nobody calls it any more');
SELECT set_config('test.visit', (now() - interval '14 minutes')::text, true) AS visit \gset
INSERT INTO vrm.retention_runs (policy, state, cutoff, as_of, started_at, finished_at)
    SELECT name, 'done', now(), now(), now(), now() FROM vrm.retention_policies WHERE keep IS NOT NULL;
SELECT is(pg_temp.status_of('maintenance'), 'ok', 'somebody does');
CREATE OR REPLACE FUNCTION vrm_private.unended_since() RETURNS timestamptz LANGUAGE sql STABLE AS
    $$ SELECT now() - interval '2 hours' $$;
SELECT is((SELECT d.status || ': ' || d.fix_sql FROM vrm.doctor() d WHERE d.detail ~ 'has not come to its end'),
          'fail: SET statement_timeout = 0; CALL vrm.maintain();', 'who never comes to the end is not at work');
SELECT cmp_ok(vrm_private.visit_age(), '>', 7000::double precision, 'nor has been, to monitoring');
CREATE OR REPLACE FUNCTION vrm_private.unended_since() RETURNS timestamptz LANGUAGE sql STABLE AS
    'SELECT NULL::timestamptz';
SET LOCAL client_min_messages = error;
SELECT is(vrm_private.maintenance_step('seals', 'SELECT 1/0'), 0::bigint, 'a step that fails stops nothing');
SET LOCAL client_min_messages = warning;
SELECT is((SELECT status FROM vrm.doctor() WHERE check_name = 'maintenance'
           AND detail ~ 'step "seals" of vrm.maintain\(\) has failed since .* 22012: division by zero'),
          'fail', 'it is told');
SELECT is(vrm_private.maintenance_step('seals', 'SELECT 3') || pg_temp.status_of('maintenance'), '3ok',
          'until it goes well');
UPDATE vrm.retention_runs SET started_at = now() - interval '26 hours' WHERE policy = 'logs.error';
SELECT is((SELECT fix_sql FROM vrm.doctor() WHERE check_name = 'maintenance' AND detail ~ '"logs.error" has been due'),
          'CALL vrm.maintain();', 'and has stopped');
UPDATE vrm.retention_runs SET state = 'failed', error = 'disk full' WHERE policy = 'logs.error';
SELECT is((SELECT fix_sql FROM vrm.doctor() WHERE check_name = 'retention' AND detail ~ 'disk full'),
          'CALL vrm.run_retention(''logs.error'');', 'a policy has failed');

-- who may ask, and what is left without a platform -------------------------------------------------------------

GRANT pg_monitor TO doctor_patient;
SET LOCAL ROLE doctor_patient;
SELECT ok((SELECT count(*) > 30 FROM vrm.doctor()), 'a monitoring role may ask');
RESET ROLE;
SELECT is(has_function_privilege('authenticated', 'vrm.doctor()', 'EXECUTE'), false, 'an application may not');
UPDATE vrm_private.platform_history SET version = '0.0.1';
SELECT is((SELECT fix_sql FROM vrm.doctor() WHERE check_name = 'platform'), 'SELECT vrm.upgrade();',
          'a platform of another version is upgraded');
UPDATE vrm_private.platform_history SET version = vrm.version();
SELECT is(pg_temp.mended('DROP SCHEMA vrm_private CASCADE', 'platform', 'there is no platform'), 'fail',
          'a platform that is not there is made');

-- what an ordinary user has put under names that the doctor looks at --------------------------------------------

SELECT format('GRANT CREATE ON DATABASE %I TO doctor_patient', :'db') \gexec
DROP SCHEMA vrm_private CASCADE;
SET LOCAL ROLE doctor_patient;
CREATE SCHEMA vrm_private;
CREATE FUNCTION vrm_private.doctor() RETURNS TABLE (check_name text, status text, detail text, hint text, fix_sql text)
    LANGUAGE sql AS $$ SELECT 'planted', current_user::text, '', '', '' $$;
SELECT is((SELECT string_agg(check_name, ' ' ORDER BY check_name) FROM vrm.doctor()), 'platform version',
          'a planted doctor is not asked');
DROP SCHEMA vrm_private CASCADE;
CREATE SCHEMA cron;
CREATE FUNCTION cron.planted() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'ran as %',
    current_user; END $$;
CREATE VIEW cron.job AS SELECT cron.planted() AS command, true AS active;
RESET ROLE;
SELECT vrm.install() \g /dev/null
SELECT lives_ok('SELECT FROM vrm.doctor()', 'and a planted list of jobs is not read');

-- the master key ---------------------------------------------------------------------------------------

SET LOCAL vrm.master_key_command = 'echo test:c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlISE=';
SELECT vrm.key_create('data'), vrm.key_create('blind_index') \g /dev/null
SELECT is(pg_temp.status_of('master_key') || ' ' || pg_temp.status_of('keyring'), 'ok ok',
          'the key that wraps the keyring');
SET LOCAL vrm.master_key_command = 'echo test:YW5vdGhlciBzaXh0ZWVuIGFuZCBzaXh0ZWVuIG1vcmU=';
SELECT is(pg_temp.status_of('master_key') || ' ' || pg_temp.status_of('keyring'), 'fail fail',
          'another key of its name does not open it');
SET LOCAL vrm.master_key_command = 'echo other:YW5vdGhlciBzaXh0ZWVuIGFuZCBzaXh0ZWVuIG1vcmU=';
SELECT is(pg_temp.status_of('master_key') || ' ' || pg_temp.status_of('keyring'), 'fail fail',
          'nor does one of another');
RESET vrm.master_key_command;
SELECT alike((SELECT hint FROM vrm.doctor() WHERE check_name = 'master_key'),
             'The keys of this database are under master key test: bring its file%',
             'whoever has keys is not told to make another master key');

SELECT * FROM finish();
ROLLBACK;
