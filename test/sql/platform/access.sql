-- Attacks: every hole of the source document that an ordinary user could have used, shown closed,
-- and rules that no table or function of the platform may break.
BEGIN;
SELECT plan(129);
\ir ../include/people.sql
\ir ../include/secrets.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob \gset
SELECT pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('reception')$$) AS agent,
       pg_temp.as_user(:'bob', $$SELECT vrm.create_agent('sales')$$) AS bobs_agent \gset
SELECT pg_temp.as_user(:'alice', format('SELECT vrm.start_test_run(%L)', :'agent')) AS run,
       pg_temp.as_user(:'bob', format('SELECT vrm.start_test_run(%L)', :'bobs_agent')) AS bobs_run \gset
SELECT min(id::text) AS bobs_case FROM vrm.test_cases WHERE user_id = :'bob' \gset
INSERT INTO vrm_private.test_runs_archive (user_id, id, time_limit, status, started_at, completed_at)
    SELECT u, vrm.uuid7(), 60, 'completed', '2020-01-01',
        '2020-01-01' FROM unnest(ARRAY[:'alice', :'bob']::uuid[]) AS u;
SELECT vrm.seal('sk-live') AS envelope \gset

-- one row of Bob in every table that users read
INSERT INTO vrm.test_run_cases (user_id, run_id, position, case_user_id, case_id)
    VALUES (:'bob', :'bobs_run', 1, :'bob', :'bobs_case');
INSERT INTO vrm.transcript_turns (user_id, run_id, speaker, message, at)
    VALUES (:'bob', :'bobs_run', 'Agent', 'Hello', '0');
INSERT INTO vrm.run_actions (user_id, run_id, action, status, at)
    VALUES (:'bob', :'bobs_run', 'looked', 'success', '0');
INSERT INTO vrm.metrics (user_id, name, prompt) VALUES (:'bob', 'politeness', 'Was the agent polite?');
INSERT INTO vrm.api_keys (user_id, service, key) VALUES (:'bob', 'openai', :'envelope');
INSERT INTO vrm.call_recordings (user_id, run_id, object_key, bytes, sha256, data_key)
    VALUES (:'bob', :'bobs_run', 'bob.wav', 1, decode(repeat('00', 32), 'hex'), :'envelope');
UPDATE vrm.user_profiles SET full_name = 'Bob' WHERE id = :'bob';

-- one's own profile -----------------------------------------------------------------------------

SELECT is(pg_temp.as_user(:'alice', format('UPDATE vrm.user_profiles SET %s', change)), '42501',
          'a user cannot SET ' || change)
FROM unnest(ARRAY['role = ''admin''', 'login_attempts = 0', 'locked_until = NULL', 'mfa_enabled = false',
                  'mfa_secret = NULL', 'last_login = now()', 'email = ''bob@example.org''', 'deleted_at = NULL',
                  'id = vrm.uuid7()', 'created_at = now()']) AS change;
SELECT is(pg_temp.as_user(:'alice', format($$INSERT INTO vrm.user_profiles (id) VALUES (%L)$$, :'alice')), '42501',
          'or insert a profile');
SELECT is(pg_temp.as_user(:'alice', 'DELETE FROM vrm.user_profiles'), '42501', 'or delete one');
SELECT is(pg_temp.as_user(:'alice', statement), '42501', 'a sealed secret is read by nobody: ' || statement)
FROM unnest(ARRAY['SELECT mfa_secret FROM vrm.user_profiles', 'SELECT count(mfa_secret) FROM vrm.user_profiles',
                  'TABLE vrm.user_profiles', 'SELECT to_jsonb(p) FROM vrm.user_profiles p',
                  'SELECT id FROM vrm.user_profiles WHERE mfa_secret IS NULL',
                  'SELECT id FROM vrm.user_profiles ORDER BY mfa_secret',
                  'UPDATE vrm.user_profiles SET full_name = mfa_secret::text',
                  'UPDATE vrm.user_profiles SET full_name = ''x'' RETURNING mfa_secret',
                  'DECLARE c CURSOR FOR TABLE vrm.user_profiles',
                  'SELECT query_to_xml(''TABLE vrm.user_profiles'', true, false, '''')',
                  'SELECT vrm.reveal_row(''vrm.user_profiles'', ''mfa_secret'', vrm.uid()::text)',
                  'SELECT vrm.opens_at(''vrm.user_profiles'', ''mfa_secret'', ''(0,1)'')']) AS statement;
SELECT is(pg_temp.as_user(:'alice', 'SELECT id FROM (SELECT * FROM vrm.profiles) AS everything'), :'alice',
          'SELECT * is there without it, of the own profile');
SELECT is(pg_temp.as_user(:'alice', 'UPDATE vrm.profiles SET full_name = ''Alice'' RETURNING full_name'), 'Alice',
          'and takes what people write of themselves');
SELECT is(pg_temp.as_user(:'alice', format('UPDATE vrm.profiles SET full_name = ''x'' WHERE id = %L RETURNING 1',
                                           :'bob')), NULL, 'not of others');
SELECT is(pg_temp.as_user(:'alice', 'UPDATE vrm.profiles SET role = ''admin'''), '42501', 'nothing else');
SELECT is((SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute
           WHERE attrelid = 'vrm.profiles'::regclass AND attnum > 0),
          (SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute
           WHERE attrelid = 'vrm.user_profiles'::regclass AND attnum > 0 AND NOT attisdropped
             AND atttypid <> 'vrm.sealed'::regtype),
          'and has every other column');
SELECT is(pg_temp.as_user(:'alice', 'SELECT count(*) FROM auth.users'), '42501', 'or read auth.users');

-- calls --------------------------------------------------------------------------------------------

SELECT is(pg_temp.as_user(:'alice',
                          format($$INSERT INTO vrm.test_runs (agent_id, status) VALUES (%L, 'queued')$$,
                                 :'bobs_agent')),
          '23503', 'a call cannot be given to somebody else''s agent');
SELECT is(replace(pg_temp.error_of(:'alice',
                                   format($$INSERT INTO vrm.test_runs (agent_id, status) VALUES (%L, 'queued')$$,
                                          :'bobs_agent')), :'bobs_agent', 'x'),
          replace(pg_temp.error_of(:'alice',
                                   format($$INSERT INTO vrm.test_runs (agent_id, status) VALUES (%L, 'queued')$$,
                                          :'run')), :'run', 'x'),
          'and the error does not tell existing agents from missing ones');
SELECT is(pg_temp.as_user(:'alice',
                          format($$INSERT INTO vrm.test_runs (user_id, agent_id, status) VALUES (%L, %L, 'queued')$$,
                                 :'bob', :'bobs_agent')),
          '42501', 'nor made in somebody else''s name');
SELECT is(pg_temp.as_user(:'alice',
                          format($$INSERT INTO vrm.test_runs (status, test_case_ids) VALUES ('queued', '["%s"]')$$,
                                 :'bobs_case')),
          '23503', 'a private test case of somebody else cannot be referenced');
SELECT is(pg_temp.as_user(:'alice',
                          format('INSERT INTO vrm.test_runs (status, test_case_ids) VALUES (''queued'', %L)', bad)),
          '22023',
          'test_case_ids cannot be ' || bad)
FROM unnest(ARRAY['{"a": 1}', '["<script>"]', '[1]', '"x"', '[null]', '["; DROP TABLE x"]',
                  (SELECT jsonb_agg(vrm.uuid7())::text FROM generate_series(1, 101))]) AS bad;
SELECT is(pg_temp.as_user(:'alice',
                          $$INSERT INTO vrm.test_runs (status, completed_at) VALUES ('completed', '1999-01-01')$$),
          '42501',
          'completed_at is not the user''s to choose');
SELECT is(pg_temp.as_user(:'alice', $$INSERT INTO vrm.test_runs (status) VALUES ('completed')$$), '23514',
          'a call does not begin at its end');
SELECT is(pg_temp.as_user(:'alice', $$INSERT INTO vrm.test_runs (status, time_limit) VALUES ('queued', -5)$$), '23514',
          'time does not run backwards');
SELECT is(pg_temp.as_user(:'alice', $$INSERT INTO vrm.test_runs (status) VALUES ('<script>')$$), '23514',
          'a state is one of five');
SELECT is(pg_temp.as_user(:'alice', format('UPDATE vrm.test_runs SET %s', change)), '42501',
          'a user cannot SET ' || change)
FROM unnest(ARRAY['status = ''completed''', 'completed_at = ''1999-01-01''', 'started_at = ''1999-01-01''',
                  'results = ''{}''',
                  'error = ''''', 'time_limit = 1', 'user_id = vrm.uuid7()', 'agent_id = NULL']) AS change;
SELECT is(pg_temp.as_user(:'alice', format('INSERT INTO %s', row)), '42501', 'a user cannot INSERT INTO ' || row)
FROM unnest(ARRAY['vrm.test_runs (id, status) VALUES (vrm.uuid7(), ''queued'')',
                  'vrm.agents (id, agent_id) VALUES (gen_random_uuid(), ''x'')',
                  'vrm.agents (id, agent_id) VALUES (vrm.uuid7(now() - interval ''1 s''), ''x'')',
                  'vrm.metrics (created_at, name, prompt) VALUES (now() - interval ''1 s'', ''x'', ''y'')',
                  'vrm.test_cases (updated_at, name) VALUES (now() - interval ''1 s'', ''x'')',
                  'vrm.agents (deleted_at, agent_id) VALUES (now(), ''x'')',
                  'vrm.run_events (run_id, status) VALUES (vrm.uuid7(), ''failed'')',
                  'vrm.transcript_turns (run_id, speaker, message, at) VALUES (vrm.uuid7(), ''a'', ''b'', ''0'')',
                  'vrm.run_actions (run_id, action, status, at) VALUES (vrm.uuid7(), ''a'', ''b'', ''0'')',
                  'vrm.test_run_cases SELECT * FROM vrm.test_run_cases',
                  'vrm.call_recordings (run_id) VALUES (vrm.uuid7())',
                  'vrm.test_case_templates (name) VALUES (''x'')']) AS row;
SELECT is(pg_temp.as_user(:'alice', format('DELETE FROM vrm.test_runs WHERE id = %L RETURNING id', :'bobs_run')), NULL,
          'somebody else''s call cannot be deleted');
SELECT is(pg_temp.as_user(:'alice', format('DELETE FROM vrm.agents WHERE id = %L', :'agent')), '23503',
          'an agent with history cannot be deleted');

-- what others own ------------------------------------------------------------------------------------

SELECT is(pg_temp.as_role('service_role', NULL,
                          format('SELECT count(*) > 0 FROM %s WHERE user_id = %L', relation, :'bob'))
              || pg_temp.as_user(:'alice',
                                 format('SELECT count(user_id) FROM %s WHERE user_id = %L', relation, :'bob')), 'true0',
          'what is there of somebody else is not seen in ' || relation)
FROM unnest(ARRAY['vrm.agents', 'vrm.test_runs', 'vrm.test_cases', 'vrm.test_run_cases', 'vrm.transcript_turns',
                  'vrm.run_actions',
                  'vrm.run_events', 'vrm.metrics', 'vrm.api_keys', 'vrm.call_recordings', 'vrm.calls',
                  'vrm.all_test_runs']) AS relation;
SELECT is(pg_temp.as_user(:'alice', 'SELECT count(*) FROM vrm.all_test_runs'), '2',
          'own calls, live and archived, are');
SELECT is(pg_temp.as_user(NULL, 'SELECT count(*) FROM vrm.all_test_runs'), '28000',
          'without an identity nothing is, and that is an error');

SELECT is(pg_temp.as_user(:'alice', format('INSERT INTO %s', row)), '42501',
          'nothing is put into somebody else''s name: ' || row)
FROM unnest(ARRAY[format('vrm.agents (user_id, agent_id) VALUES (%L, ''x'')', :'bob'),
                  format('vrm.test_cases (user_id, name) VALUES (%L, ''x'')', :'bob'),
                  format('vrm.metrics (user_id, name, prompt) VALUES (%L, ''x'', ''y'')', :'bob')]) AS row;

-- without a WHERE or RETURNING clause, the policy for SELECT has no say
SELECT is(pg_temp.error_of(:'alice', statement), 'no error', statement || ' raises nothing')
FROM unnest(ARRAY['UPDATE vrm.user_profiles SET full_name = ''x''', 'UPDATE vrm.agents SET persona = ''x''',
                  'UPDATE vrm.test_cases SET user_persona = ''{"x": 1}''', 'UPDATE vrm.metrics SET name = ''x''',
                  'UPDATE vrm.api_keys SET description = ''x''', 'DELETE FROM vrm.metrics',
                  'DELETE FROM vrm.test_cases',
                  'DELETE FROM vrm.test_runs']) AS statement;
SELECT is((SELECT full_name FROM vrm.user_profiles WHERE id = :'bob'), 'Bob', 'and does nothing to profiles of others');
SELECT is((SELECT count(*) FROM vrm.agents WHERE user_id = :'bob' AND persona = 'x')
          + (SELECT count(*) FROM vrm.test_cases WHERE user_id = :'bob' AND user_persona = '{"x": 1}')
          + (SELECT count(*) FROM vrm.metrics WHERE user_id = :'bob' AND name = 'x')
          + (SELECT count(*) FROM vrm.api_keys WHERE user_id = :'bob' AND description = 'x'), 0::bigint,
          'nor to what they own');
SELECT is((SELECT count(*) FROM vrm.metrics WHERE user_id = :'bob') + (SELECT count(*) FROM vrm.test_runs
    WHERE user_id = :'bob'),
          2::bigint, 'nor deletes it');

-- the archive, the secrets ------------------------------------------------------------------------------

SELECT is(pg_temp.as_anon(statement), '42501', 'anon: ' || statement)
FROM unnest(ARRAY['TRUNCATE vrm.test_runs CASCADE', 'SELECT count(*) FROM vrm.test_runs',
                  'SELECT count(*) FROM vrm.all_test_runs',
                  'SELECT count(*) FROM vrm_private.test_runs_archive', 'DELETE FROM vrm_private.test_runs_archive',
                  'INSERT INTO vrm.agents (agent_id) VALUES (''x'')', 'SELECT vrm.user_dashboard()']) AS statement;
SELECT is(pg_temp.as_user(:'alice', statement), '42501', 'authenticated: ' || statement)
FROM unnest(ARRAY['TRUNCATE vrm.test_runs CASCADE', 'SELECT count(*) FROM vrm_private.test_runs_archive',
                  'SELECT count(*) FROM vrm_private.password_reset_tokens', 'SELECT key FROM vrm.api_keys',
                  'SELECT * FROM vrm.api_keys', 'SELECT data_key FROM vrm.call_recordings',
                  'CREATE TRIGGER planted BEFORE INSERT ON vrm.agents FOR EACH ROW EXECUTE FUNCTION '
                  'suppress_redundant_updates_trigger()',
                  'CREATE TABLE vrm.planted (x int)', 'CREATE POLICY planted ON vrm.agents USING (true)',
                  'ALTER TABLE vrm.test_runs DISABLE ROW LEVEL SECURITY', 'SELECT vrm.install()',
                  'SELECT vrm.upgrade()',
                  'SELECT vrm.create_missing_profiles()']) AS statement;
SELECT throws_ok(format('INSERT INTO vrm.api_keys (user_id, service, key) VALUES (%L, ''openai'', ''sk-plaintext'')',
                        :'alice'),
                 '23514', NULL, 'a column of sealed values takes no plaintext, from nobody');
SELECT lives_ok(format('INSERT INTO vrm.api_keys (user_id, service, key) VALUES (%L, ''openai'', %L)', :'alice',
                       :'envelope'),
                'but a sealed value');
SELECT throws_ok(format('UPDATE vrm.user_profiles SET mfa_secret = ''JBSWY3DPEHPK3PXP'' WHERE id = %L', :'alice'),
                 '23514', NULL,
                 'so does mfa_secret');

-- rules for all there is ------------------------------------------------------------------------------

CREATE TEMP VIEW platform_table AS
    SELECT c.oid, c.oid::regclass::text AS name, c.relrowsecurity, c.relkind, c.reloptions, n.nspname
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('vrm', 'vrm_private') AND c.relkind IN ('r', 'p', 'v', 'm');
CREATE TEMP VIEW platform_function AS
    SELECT p.oid, p.oid::regprocedure::text AS name, p.prosecdef, p.proconfig, p.proacl
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname IN ('vrm', 'vrm_private', 'auth');
SELECT is_empty($$SELECT name, role, privilege FROM platform_table,
                unnest(ARRAY['anon', 'authenticated', 'public']) AS role,
                         unnest(ARRAY['TRUNCATE', 'TRIGGER', 'REFERENCES']) AS privilege
                  WHERE has_table_privilege(role, oid, privilege)$$,
                  'nobody but the owner may TRUNCATE, plant triggers or references');
SELECT is_empty($$SELECT name FROM platform_table
                WHERE has_any_column_privilege('anon', oid, 'SELECT, INSERT, UPDATE, REFERENCES')$$,
                'anon reads and writes no table');
SELECT is_empty($$SELECT attrelid::regclass, attname, role FROM pg_attribute,
                         unnest(ARRAY['anon', 'authenticated', 'public']) AS role
                  WHERE atttypid = 'vrm.sealed'::regtype AND NOT attisdropped
                    AND attrelid IN (SELECT oid FROM platform_table)
                    AND has_column_privilege(role, attrelid, attnum, 'SELECT')$$,
                'and no client a sealed column, not even as it is stored');
SELECT is_empty($$SELECT name FROM platform_table WHERE relkind IN ('r', 'p') AND NOT relrowsecurity$$,
                'every table and every partition has row level security, those that nobody reaches, too');
SELECT is_empty($$SELECT f.conrelid::regclass, f.conname FROM pg_constraint f
                  WHERE f.contype = 'f' AND f.conparentid = 0 AND f.conrelid IN (SELECT oid FROM platform_table)
                    AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = f.conrelid AND i.indisvalid
                                    AND (i.indkey::int2[])[0:cardinality(f.conkey) - 1] @> f.conkey)
                    -- words of the platform's own do not go, and each call's outcome would be written to an index
                    AND f.confrelid <> 'vrm.call_outcomes'::regclass$$,
                'every foreign key has an index that begins with all of its columns');
SELECT is_empty($$SELECT name FROM platform_table WHERE relkind = 'v'
                AND NOT 'security_invoker=true' = ANY (coalesce(reloptions, '{}'))$$,
                'every view runs as who reads it');
SELECT is_empty($$SELECT name FROM platform_function WHERE prosecdef
                AND (proconfig IS NULL OR NOT 'search_path=pg_catalog, pg_temp' = ANY (proconfig))$$,
                'every definer function pins its search_path');
SELECT is_empty($$SELECT name, setting FROM platform_function,
                         unnest(ARRAY['DateStyle', 'IntervalStyle', 'TimeZone', 'extra_float_digits', 'bytea_output',
                                      'quote_all_identifiers', 'lc_monetary']) AS setting
                  WHERE array_to_string(proconfig, E'\n') ~ '(^|\n)(IntervalStyle|extra_float_digits|bytea_output)='
                    AND array_to_string(proconfig, E'\n') !~ ('(^|\n)' || setting || '=')$$,
                'functions that make text of values pin every setting that the text depends on');
SELECT is_empty($$SELECT name FROM platform_function, aclexplode(coalesce(proacl, acldefault('f', 10))) AS acl
                WHERE acl.grantee = 0$$,
                'PUBLIC may execute no function');
SELECT is_empty($$SELECT role FROM unnest(ARRAY['anon', 'authenticated', 'service_role', 'public']) AS role
                  WHERE has_schema_privilege(role, 'vrm_private', 'USAGE')
                  OR has_schema_privilege(role, 'vrm', 'CREATE')$$,
                'no role looks into vrm_private or creates in vrm');
SELECT is((SELECT array_agg(rolname || ' ' || rolsuper || rolcanlogin || rolbypassrls ORDER BY rolname) FROM pg_roles
           WHERE rolname IN ('anon', 'authenticated', 'service_role')),
          ARRAY['anon falsefalsefalse', 'authenticated falsefalsefalse', 'service_role falsefalsetrue'],
          'the roles are what they should be');

SELECT * FROM finish();
ROLLBACK;
