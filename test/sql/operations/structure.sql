-- What tables, views and roles are meant to be: doctor finds what was changed, one call puts it back, no row is lost.
BEGIN;
SELECT plan(25);
\ir ../include/no_autovacuum.sql
SET LOCAL client_min_messages = warning;
CREATE ROLE vrm_test_reporter;
SELECT count(*) > 0 AS made FROM vrm.make_api() \gset

CREATE FUNCTION pg_temp.findings() RETURNS TABLE (finding text) LANGUAGE sql AS $$
    SELECT concat(d.check_name, ' ', d.status, ': ', d.detail) FROM vrm.doctor() d
    WHERE d.check_name IN ('columns', 'defaults', 'constraints', 'indexes', 'views', 'rules', 'api', 'roles', 'grants',
                           'row_level_security', 'triggers', 'objects', 'routines') AND d.status <> 'ok'
$$;
SELECT is_empty('SELECT pg_temp.findings()', 'nothing is to be said of a new installation');
CREATE TEMP TABLE state AS
    SELECT * FROM vrm_private.present_structure() UNION ALL SELECT * FROM vrm_private.present_api()
    UNION ALL SELECT * FROM vrm_private.present_state();
CREATE FUNCTION pg_temp.differences() RETURNS SETOF text LANGUAGE sql AS $$
    WITH now AS (
        SELECT * FROM vrm_private.present_structure() UNION ALL SELECT * FROM vrm_private.present_api()
        UNION ALL SELECT * FROM vrm_private.present_state()
    )
    (SELECT format('lost %s %s %s', kind, object, name) FROM (TABLE state EXCEPT TABLE now) l)
    UNION ALL
    (SELECT format('new %s %s %s', kind, object, name) FROM (TABLE now EXCEPT TABLE state) n)
$$;

-- everything at once ------------------------------------------------------------------------------------------------

CREATE TEMP TABLE broken (how text, finding text);
INSERT INTO broken VALUES
    ('CREATE RULE quiet AS ON DELETE TO vrm.metrics DO INSTEAD NOTHING',
     'rules fail: rule quiet of vrm.metrics is not of vrm: it does something else, or more, than was written'),
    ('CREATE RULE quiet AS ON INSERT TO vrm.logs_error_rest DO INSTEAD NOTHING',
     'rules fail: rule quiet of vrm.logs_error_rest is not of vrm: it does something else, or more, than was written'),
    ('CREATE RULE quiet AS ON UPDATE TO vrm.profiles DO INSTEAD NOTHING',
     'rules fail: rule quiet of vrm.profiles is not of vrm: it does something else, or more, than was written'),
    ('CREATE OR REPLACE VIEW vrm.profiles WITH (security_invoker = true) AS SELECT id, email, full_name, avatar_url,'
     ' organization, role, mfa_enabled, last_login, login_attempts, locked_until, created_at, updated_at, deleted_at,'
     ' is_organisation FROM vrm.user_profiles WHERE role <> ''admin''',
     'views fail: view vrm.profiles does not show what vrm means'),
    ('CREATE OR REPLACE VIEW vrm.keyring_status WITH (security_invoker = true) AS'
     ' SELECT *, 1 AS more FROM vrm_private.keyring_status()',
     'views fail: view vrm.keyring_status does not show what vrm means'),
    ('ALTER VIEW vrm.calls RESET (security_invoker)',
     'row_level_security fail: view vrm.calls reads as its owner, whatever policies say'),
    ('ALTER VIEW vrm.all_test_runs SET (security_barrier = true)',
     'views fail: view vrm.all_test_runs does not show what vrm means'),
    ('ALTER TABLE vrm.agents DROP CONSTRAINT persona_length',
     'constraints fail: constraint persona_length of vrm.agents is missing, or not what vrm means'),
    ('ALTER TABLE vrm.metric_results DROP CONSTRAINT judge_length, ADD CONSTRAINT judge_length CHECK (true)',
     'constraints fail: constraint judge_length of vrm.metric_results is missing, or not what vrm means'),
    ('ALTER TABLE vrm.test_runs DROP CONSTRAINT cost_range,'
     ' ADD CONSTRAINT cost_range CHECK (cost >= 0 AND cost <> ''NaN'') NOT VALID',
     'constraints warn: constraint cost_range of vrm.test_runs is NOT VALID: older rows may break it'),
    ('ALTER TABLE vrm.agents DROP CONSTRAINT agents_user_id_fkey',
     'constraints fail: constraint agents_user_id_fkey of vrm.agents is missing, or not what vrm means'),
    ('ALTER TABLE vrm.metrics DROP CONSTRAINT metrics_user_id_fkey,'
     ' ADD CONSTRAINT metrics_user_id_fkey FOREIGN KEY (user_id) REFERENCES vrm.user_profiles (id)',
     'constraints fail: constraint metrics_user_id_fkey of vrm.metrics is missing, or not what vrm means'),
    ('ALTER TABLE vrm.test_cases DISABLE TRIGGER ALL; ALTER TABLE vrm.test_cases ENABLE TRIGGER USER',
     'constraints fail: foreign key test_cases_user_id_fkey of vrm.test_cases is not enforced: a trigger of '
     'vrm.test_cases is off'),
    ('ALTER TABLE vrm.metrics DROP CONSTRAINT metrics_name',
     'constraints fail: constraint metrics_name of vrm.metrics is missing, or not what vrm means'),
    ('ALTER TABLE vrm.test_cases DROP CONSTRAINT test_cases_pkey CASCADE',
     'constraints fail: constraint test_cases_pkey of vrm.test_cases is missing, or not what vrm means'),
    ('ALTER DOMAIN vrm.sealed DROP CONSTRAINT is_sealed; ALTER DOMAIN vrm.sealed ADD CONSTRAINT is_sealed CHECK (true)',
     'constraints fail: constraint is_sealed of vrm.sealed is missing, or not what vrm means'),
    ('ALTER TABLE vrm.api_keys DROP CONSTRAINT key_is_bound',
     'constraints fail: constraint key_is_bound of vrm.api_keys is missing, or not what vrm means'),
    ('DROP INDEX vrm.agents_agent_id; CREATE INDEX agents_agent_id ON vrm.agents (user_id, agent_id)',
     'indexes fail: unique index agents_agent_id of vrm.agents is missing, or not what vrm means'),
    ('ALTER TABLE vrm.agents ALTER COLUMN agent_id DROP NOT NULL',
     'columns fail: column agent_id of vrm.agents takes null'),
    ('ALTER TABLE vrm.metrics ALTER COLUMN user_id DROP DEFAULT',
     'defaults fail: the default of column user_id of vrm.metrics is none, vrm means vrm.uid()'),
    ('ALTER TABLE vrm.audit_log ALTER COLUMN actor SET DEFAULT gen_random_uuid()',
     'defaults fail: the default of column actor of vrm.audit_log is gen_random_uuid(), vrm means vrm.actor()'),
    ('ALTER TABLE vrm.backup_runs ALTER COLUMN id DROP IDENTITY',
     'defaults fail: the default of column id of vrm.backup_runs is none, vrm means GENERATED ALWAYS AS IDENTITY'),
    ('ALTER TABLE vrm.quality_run ALTER COLUMN id SET GENERATED BY DEFAULT',
     'defaults fail: the default of column id of vrm.quality_run is GENERATED BY DEFAULT AS IDENTITY, vrm means '
     'GENERATED ALWAYS AS IDENTITY'),
    ('ALTER TABLE vrm.logs_error_rest DISABLE ROW LEVEL SECURITY',
     'row_level_security fail: row level security of vrm.logs_error_rest is off'),
    ('ALTER ROLE vrm_reveal BYPASSRLS', 'roles fail: role vrm_reveal has BYPASSRLS: it sees the rows of everybody'),
    ('ALTER ROLE vrm_use_api_keys LOGIN',
     'roles fail: role vrm_use_api_keys has LOGIN: people connect as their own login and SET ROLE'),
    ('GRANT vrm_reveal TO vrm_use_api_keys',
     'roles fail: role vrm_use_api_keys is a member of vrm_reveal, and has all its privileges'),
    (format('GRANT %I TO service_role', session_user),
     format('roles fail: role service_role is a member of %I, and has all its privileges', session_user)),
    ('GRANT CREATE ON SCHEMA vrm_api TO vrm_test_reporter',
     'api fail: vrm_api of schema vrm_api is not as vrm.make_api() has made it'),
    ('GRANT SELECT ON vrm_api.agents TO anon',
     'api fail: vrm_api.agents of schema vrm_api is not as vrm.make_api() has made it'),
    ('CREATE VIEW vrm_api.profiles AS SELECT * FROM vrm.user_profiles',
     'api fail: vrm_api.profiles of schema vrm_api is none that vrm.make_api() has made');
\ir ../include/broken.sql
SELECT is_empty('SELECT * FROM repaired WHERE problem IS NOT NULL', 'nothing is in the way of mending it');
SELECT is_empty('SELECT pg_temp.differences()', 'and all of it is as before');
SELECT is(obj_description('vrm.keyring_status'::regclass),
          'the keys of this database, and whether their master key is there',
          'what a view is said to be comes back with it');
SELECT is_empty('SELECT * FROM vrm.repair()', 'a second call has nothing to do');

-- rows that are in the way ------------------------------------------------------------------------------------------

INSERT INTO auth.users (id, email) VALUES ('018f0000-0000-7000-8000-000000000001', 'ann@example.org');
ALTER TABLE vrm.metrics DROP CONSTRAINT metrics_name;
ALTER TABLE vrm.metrics DROP CONSTRAINT prompt_length;
ALTER TABLE vrm.metrics DROP CONSTRAINT metrics_user_id_fkey;
ALTER TABLE vrm.metrics ALTER COLUMN prompt DROP NOT NULL;
ALTER TABLE vrm.metrics DISABLE TRIGGER USER;
INSERT INTO vrm.metrics (user_id, name, prompt)
VALUES ('018f0000-0000-7000-8000-000000000001', 'tone', 'p'), ('018f0000-0000-7000-8000-000000000001', 'tone', ''),
       ('018f0000-0000-7000-8000-000000000001', 'pace', NULL), ('018f0000-0000-7000-8000-0000000000ff', 'none', 'p');
ALTER TABLE vrm.metrics ENABLE TRIGGER USER;
ALTER TABLE vrm.test_cases DROP CONSTRAINT name_length;
CREATE TEMP TABLE tried AS SELECT * FROM vrm.repair();
SELECT is((SELECT string_agg(left(t.problem, 15) || ' ' || t.statement, E'\n' ORDER BY t.statement) FROM tried t
           WHERE t.problem IS NOT NULL),
          'SQLSTATE 23505: ALTER TABLE vrm.metrics ADD CONSTRAINT metrics_name UNIQUE (user_id, name);
SQLSTATE 23502: ALTER TABLE vrm.metrics ALTER COLUMN prompt SET NOT NULL;
SQLSTATE 23503: ALTER TABLE vrm.metrics VALIDATE CONSTRAINT metrics_user_id_fkey;
SQLSTATE 23514: ALTER TABLE vrm.metrics VALIDATE CONSTRAINT prompt_length;', 'what rows are in the way of is said');
SELECT is((SELECT count(*) FROM vrm.metrics), 4::bigint, 'with every row still there');
SELECT set_eq('SELECT pg_temp.findings()', $$VALUES
    ('columns fail: column prompt of vrm.metrics takes null'),
    ('constraints fail: constraint metrics_name of vrm.metrics is missing, or not what vrm means'),
    ('constraints warn: constraint metrics_user_id_fkey of vrm.metrics is NOT VALID: older rows may break it'),
    ('constraints warn: constraint prompt_length of vrm.metrics is NOT VALID: older rows may break it')$$,
              'all else is mended, and new rows obey what old ones break');
SELECT throws_ok($$INSERT INTO vrm.metrics (user_id, name, prompt)
                   VALUES ('018f0000-0000-7000-8000-0000000000ff', 'new', repeat('p', 20001))$$, '23514', NULL,
                 'which is checked again');
SELECT is((SELECT d.hint FROM vrm.doctor() d WHERE d.detail = 'column prompt of vrm.metrics takes null'),
          'First, rows that have none: SELECT * FROM vrm.metrics WHERE prompt IS NULL;', 'a hint finds such rows');
DELETE FROM vrm.metrics WHERE prompt IS NULL OR prompt = '' OR user_id = '018f0000-0000-7000-8000-0000000000ff';
SET CONSTRAINTS ALL IMMEDIATE;
SELECT is_empty('SELECT * FROM vrm.repair() WHERE problem IS NOT NULL', 'once they are mended, so is the rest');
SELECT is_empty('SELECT pg_temp.differences()', 'and all of it is as before');

-- a DBA's own -------------------------------------------------------------------------------------------------------

ALTER TABLE vrm.agents ADD COLUMN cost_center text NOT NULL DEFAULT 'none',
    ADD CONSTRAINT cost_center_length CHECK (length(cost_center) < 10),
    ADD COLUMN at timestamptz DEFAULT clock_timestamp();
CREATE UNIQUE INDEX agents_cost_center ON vrm.agents (user_id, id, cost_center);
CREATE VIEW vrm.long_calls WITH (security_invoker = true) AS SELECT id FROM vrm.calls WHERE duration > '1 hour';
CREATE TABLE vrm.notes (id bigint PRIMARY KEY CHECK (id > 0), at timestamptz DEFAULT now());
ALTER TABLE vrm.notes ENABLE ROW LEVEL SECURITY;
CREATE RULE keep AS ON DELETE TO vrm.notes DO INSTEAD NOTHING;
CREATE INDEX metrics_created_at ON vrm.metrics (created_at);
DROP INDEX vrm.metrics_created_at;
SELECT is_empty('SELECT pg_temp.findings()', 'what a DBA adds is not to be mended');
ALTER TABLE vrm.test_runs ALTER COLUMN time_limit SET DEFAULT 90;
ALTER TABLE vrm.agents ALTER COLUMN persona SET DEFAULT 'friendly';
SELECT set_eq('SELECT pg_temp.findings()', $$VALUES
    ('defaults info: the default of column persona of vrm.agents is ''friendly''::text, vrm means none'),
    ('defaults info: the default of column time_limit of vrm.test_runs is 90, vrm means 60')$$,
              'another constant is named');
SELECT is_empty('SELECT * FROM vrm.repair()', 'and stays');

-- views on views ----------------------------------------------------------------------------------------------------

CREATE VIEW public.vrm_test_keys AS SELECT key_id FROM vrm.keyring_status;
CREATE OR REPLACE VIEW vrm.keyring_status WITH (security_invoker = true) AS
    SELECT *, 1 AS more FROM vrm_private.keyring_status();
SELECT matches((SELECT r.problem FROM vrm.repair() r WHERE r.check_name = 'views'),
               '^SQLSTATE 2BP01: .* view public.vrm_test_keys depends on view vrm.keyring_status',
               'a view of the DBA''s on a view that has to be dropped is named');
DROP VIEW public.vrm_test_keys;
SELECT is((SELECT string_agg(r.statement || coalesce(r.problem, ''), ' ') FROM vrm.repair() r),
          'SELECT vrm_private.put_back_view(''vrm.keyring_status'');', 'without it, the view comes back');

-- columns -----------------------------------------------------------------------------------------------------------

ALTER TABLE vrm.backup_runs RENAME COLUMN tool TO instrument;
SELECT is((SELECT string_agg(f.finding, ' ') FROM pg_temp.findings() f WHERE f.finding LIKE 'columns %'),
          'columns fail: column tool of vrm.backup_runs is gone', 'a column that is gone is found');
ALTER TABLE vrm.backup_runs RENAME COLUMN instrument TO tool;
ALTER TABLE vrm.backup_runs ALTER COLUMN tool TYPE varchar(10);
SELECT matches((SELECT string_agg(f.finding, ' ') FROM pg_temp.findings() f WHERE f.finding LIKE 'columns %'),
               '^columns warn: column tool of vrm.backup_runs is of type character varying\(10\), vrm means text',
               'and one of another type');

-- as after an upgrade: what was changed before is not what is meant -------------------------------------------------

CREATE TEMP TABLE noted AS SELECT * FROM vrm_private.intended WHERE kind NOT IN ('api', 'object');
ALTER TABLE vrm.agents DROP CONSTRAINT scenario_length;
ALTER TABLE vrm.metrics ALTER COLUMN user_id DROP DEFAULT, ALTER COLUMN prompt DROP NOT NULL;
CREATE OR REPLACE VIEW vrm.import_progress WITH (security_invoker = false) AS
    SELECT i.user_id, i.source, i.state, 0::bigint AS reports, i.received_at AS oldest, i.received_at AS newest,
           i.reason AS latest_reason FROM vrm.call_imports i;
ALTER DOMAIN vrm.sealed DROP CONSTRAINT is_sealed;
DELETE FROM vrm_private.intended;
SELECT vrm_private.note_intended();
SELECT is_empty($$SELECT n.kind, n.object, n.name FROM (TABLE noted EXCEPT TABLE vrm_private.intended) n$$,
                'what is meant is noted as by a new installation, whatever was changed before');
SELECT is_empty($$SELECT i.kind, i.object, i.name FROM (
                      SELECT * FROM vrm_private.intended WHERE kind NOT IN ('api', 'object') EXCEPT TABLE noted) i
                  WHERE i.object NOT IN ('vrm.notes', 'vrm.long_calls', 'vrm_api.test_runs')$$, 'and nothing else');
SELECT is((SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'vrm%meant'), 0::bigint, 'which leaves nothing behind');

CREATE SCHEMA vrm_meant AUTHORIZATION vrm_test_reporter;
SET LOCAL client_min_messages = error;
SELECT cmp_ok((SELECT count(*) FROM vrm_private.shipped_structure()), '>', 1000::bigint,
              'somebody else''s schema of the name does not keep vrm from being installed');

SELECT * FROM finish();
ROLLBACK;
