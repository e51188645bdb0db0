-- A tenant moves: everything that is the tenant's comes as it was, nothing of others, no secret without the
-- transfer key, all or nothing, and nobody but the service does it.
BEGIN;
SELECT plan(50);
\ir ../include/people.sql
\ir ../include/secrets.sql

-- given: a tenant with rows in many tables, and another who shares a case -----------------------------------------

SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob \gset
SELECT pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('reception')$$) AS agent,
       pg_temp.as_user(:'bob', $$SELECT vrm.create_agent('sales')$$) AS bobs_agent \gset
UPDATE vrm.test_cases SET is_shared = true WHERE user_id = :'bob';
SELECT array_agg(id) AS cases FROM vrm.test_cases \gset
SELECT pg_temp.as_user(:'alice', format('SELECT vrm.start_test_run(%L, %L)', :'agent', :'cases')) AS run \gset
SELECT pg_temp.as_user(:'alice', format('SELECT vrm.append_transcript(%L, ''Agent'', %L)', :'run', E'"\\ \n\u00fc')),
       pg_temp.as_user(:'alice', format('SELECT vrm.complete_test_run(%L, ''{"x": [null, 1.50, 1e-300]}'')', :'run')),
       pg_temp.as_user(:'alice', $$SELECT vrm.store_api_key('openai', 'sk-live-alice')$$),
       pg_temp.as_user(:'alice', format($$SELECT vrm.register_recording(%L, 'a.ogg', 1, sha256('a'))$$, :'run'))
    \g /dev/null
UPDATE vrm.user_profiles SET mfa_secret = vrm.seal('JBSWY3DPEHPK3PXP') WHERE id = :'alice';
INSERT INTO vrm.test_runs (user_id, status, started_at, completed_at, results)
    SELECT u, 'completed', '2020-01-01', '2020-01-02', 'null'
    FROM unnest(ARRAY[:'alice', :'alice', :'bob']::uuid[]) AS u;
SELECT vrm.archive_old_test_runs() \g /dev/null
SELECT vrm.log('application', 'info', 'hello'), vrm.place_hold('case 42', agent_id => :'agent', until => '1999-01-01'),
       vrm.place_hold('elsewhere', until => '1999-01-01') \g /dev/null
INSERT INTO vrm_private.sessions (user_id, aal) VALUES (:'alice', 'aal1');
CREATE TABLE public.notes (author uuid REFERENCES vrm.user_profiles (id) ON DELETE CASCADE);
CREATE TEMP TABLE before AS SELECT * FROM vrm.tenant_fingerprint(:'alice');
CREATE TEMP TABLE before_bob AS SELECT * FROM vrm.tenant_fingerprint(:'bob');
\set key 'dHdvIGRhdGFiYXNlcyBzaGFyZSB0aGlzIGtleTogb24='
CREATE TEMP TABLE line AS SELECT vrm.export_tenant(:'alice', :'key') AS l;
CREATE TEMP TABLE plain AS SELECT vrm.export_tenant(:'alice') AS l;
SELECT vrm.reveal_row('vrm.call_recordings', 'data_key', format('(%s,%s)', user_id, id)) AS recording_key
    FROM vrm.call_recordings \gset

-- what the lines say ----------------------------------------------------------------------------------------------

SELECT is((SELECT count(*) FROM line WHERE l ? 'relation'), (SELECT sum(row_count)::bigint FROM before),
          'every row of the tenant is a line');
SELECT is((SELECT array_agg(r ORDER BY r)
           FROM (SELECT DISTINCT l ->> 'relation' AS r FROM line WHERE l ? 'relation') AS s),
          (SELECT array_agg(relation ORDER BY relation) FROM before), 'of every table');
SELECT is((SELECT array_agg(s) FROM unnest(ARRAY['auth.users', 'vrm.user_profiles', 'vrm.agents', 'vrm.agent_versions',
               'vrm.test_cases', 'vrm.test_runs', 'vrm.transcript_turns', 'vrm.run_events', 'vrm.call_facts',
               'vrm.call_recordings', 'vrm.api_keys', 'vrm_private.test_runs_archive',
               'vrm_private.legal_holds']) AS s WHERE s NOT IN (SELECT relation FROM before)), NULL,
          'accounts, agents, versions, cases, calls live and archived, turns, events, facts, recordings, keys, holds');
SELECT is((SELECT l - 'exported_at' FROM line WHERE l ? 'format'),
          jsonb_build_object('format', 'vrm.tenant/1', 'user_id', :'alice',
                             'version', (SELECT extversion FROM pg_extension WHERE extname = 'vrm')),
          'a line says whose they are, and of which version');
SELECT is_empty($$SELECT l FROM line WHERE l::text ~ 'sk-live|JBSWY3DP|bob@'$$, 'nothing secret, nothing of others');
SELECT is_empty(format($$SELECT l FROM (TABLE line UNION ALL TABLE plain) s WHERE strpos(l::text, %L) > 0$$,
                       :'recording_key'), 'nor what recordings are encrypted with');
SELECT is((SELECT count(*) FROM line WHERE l ->> 'relation' = 'vrm.test_run_cases'),
          (SELECT count(*) FROM vrm.test_run_cases WHERE user_id = :'alice' AND case_user_id = user_id),
          'links to cases of their own go along');
SELECT is((SELECT array_agg(format('%s %s', l ->> 'left_out', l ->> 'rows') ORDER BY l ->> 'left_out') FROM line
           WHERE l ->> 'left_out' IN ('vrm.test_run_cases', 'public.notes', 'vrm_private.legal_holds',
                                  'vrm_private.sessions')),
          ARRAY['public.notes ', format('vrm.test_run_cases %s', (SELECT count(*) FROM vrm.test_run_cases
                                                            WHERE user_id = :'alice' AND case_user_id = :'bob')),
                'vrm_private.legal_holds 1', 'vrm_private.sessions 1'],
          'what is left out is named: cases of others, tables of the application, holds of a time, sessions');
SELECT is((SELECT array_agg(format('%s: %s', l ->> 'left_out', l ->> 'reason') ORDER BY l ->> 'left_out') FROM plain
           WHERE l ->> 'reason' ~ 'transfer key'),
          ARRAY['vrm.api_keys: key is sealed and no transfer key was given',
                'vrm.call_recordings: data_key is sealed and no transfer key was given',
                'vrm.user_profiles: mfa_secret is sealed and no transfer key was given'],
          'without a transfer key so are sealed values');
SELECT is((SELECT count(*) FROM vrm_private.audit_journal
           WHERE action = 'exported a tenant' AND detail ->> 'user_id' = :'alice'), 2::bigint,
          'each export is in the journal');

-- refused ---------------------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.import(change text, key text) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.failure(format('SELECT vrm.import_tenant((SELECT jsonb_agg(%s) FROM line), %L)', change, key))
$$;
SELECT matches(pg_temp.import('l', :'key'), '^23505 \| user ".*" exists already',
               'a tenant that is here is not merged');
UPDATE auth.users SET email = 'gone@example.org' WHERE id = :'alice';
SELECT vrm.release_hold(hold_id) FROM vrm_private.legal_holds
    WHERE released_at IS NULL AND agent_id = :'agent' \g /dev/null
CREATE TEMP TABLE hold AS SELECT vrm.erase_user(:'alice', 'moved') AS erased, vrm.keep_objects(:'alice') AS kept;
SELECT is((SELECT kept FROM hold), 1::bigint, 'the object store is not told to delete what still has an owner');
SELECT is_empty(format('SELECT * FROM vrm_private.object_purges WHERE user_id = %L', :'alice'), 'not a recording');

SELECT matches(pg_temp.failure('SELECT vrm.import_tenant(NULL)'), '^22023 .* have to be an array', 'null is no tenant');
SELECT matches(pg_temp.failure($$SELECT vrm.import_tenant('{}')$$), '^22023 .* have to be an array',
               'nor is an object');
SELECT matches(pg_temp.failure($$SELECT vrm.import_tenant('[1, null, "x", []]')$$), '^22023 .*first line.*missing',
               'nor anything else');
SELECT matches(pg_temp.import($$CASE WHEN NOT l ? 'digest' THEN l ELSE '0' END$$, :'key'),
               '^22023 .*last line.*missing',
               'nor what broke off');
SELECT matches(pg_temp.import($$CASE WHEN l ->> 'relation' = 'vrm.agents' THEN '0' ELSE l END$$, :'key'),
               '^22023 .*There are \d+ rows of \d+', 'or has lost a line');
SELECT matches(pg_temp.import($$replace(l::text, 'reception', 'deception')::jsonb$$, :'key'),
               '^22023 .*values were changed',
               'or was changed');
SELECT matches(pg_temp.import($$l || CASE WHEN l ? 'format' THEN '{"version": "0.9"}' ELSE '{}' END::jsonb$$, :'key'),
               '^22023 .*They are of version 0\.9', 'or comes from another version');
SELECT matches(pg_temp.import($$jsonb_set(l, '{row,x}', '1')$$, :'key'), '^22023 .*x" is not one of this database',
               'or has a column that is not here');
SELECT matches(pg_temp.import('l', NULL), '^22023 .*none was given', 'sealed values need the transfer key');
SELECT matches(pg_temp.import('l', replace(:'key', 'dH', 'dJ')), '^22000 \| the value does not open',
               'the one of the export');
SELECT matches(pg_temp.import('l', 'c2hvcnQ='), '^22023 \| the transfer key is not 32 bytes.*openssl rand -base64 32',
               'and a key has 32 bytes');
SELECT matches(pg_temp.failure(format('SELECT * FROM vrm.export_tenant(%L, ''x'')', :'bob')),
               '^22023 \| the transfer key',
               'on both sides');
CREATE FUNCTION pg_temp.context_of(statement text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    context text;
BEGIN
    EXECUTE statement;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
    RETURN length(context);
END
$$;
SELECT cmp_ok(pg_temp.context_of(format('SELECT * FROM vrm.export_tenant(%L, ''x'')', :'bob')), '<', 600,
              'nothing of the statement inside is shown with it');
SELECT cmp_ok(pg_temp.context_of(format('SELECT vrm.import_tenant((SELECT jsonb_agg(l) FROM line), %L)',
                                        replace(:'key', 'dH', 'dJ'))), '<', 600, 'nor of that of an import');

-- Lines that somebody has made up, with a digest that fits.
CREATE FUNCTION pg_temp.forged(changed jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    lines jsonb := (SELECT jsonb_agg(l) FROM (SELECT l FROM line WHERE l ? 'format'
                                              UNION ALL SELECT l FROM line WHERE l ->> 'relation' = 'auth.users'
                                              UNION ALL SELECT * FROM jsonb_array_elements(changed)) AS s);
BEGIN
    lines := lines || (SELECT jsonb_build_object(
        'rows', count(*), 'digest', sum(vrm_private.tenant_digest(l ->> 'relation', l -> 'row', NULL))::text)
        FROM jsonb_array_elements(lines) AS l WHERE l ? 'relation');
    RETURN pg_temp.failure(format('SELECT vrm.import_tenant(%L)', lines));
END
$$;
SELECT matches(pg_temp.forged((SELECT jsonb_agg(jsonb_set(l, '{row,user_id}', to_jsonb(:'bob'::text))) FROM line
                               WHERE l ->> 'relation' = 'vrm.call_facts')),
               '^22000 \| what has come of user .* is not what was sent', 'a line for somebody else is noticed');
SELECT matches(pg_temp.forged((SELECT jsonb_agg(l) FROM line WHERE l ->> 'relation' = 'vrm.agents')),
               '^23503 \| rows of the tenant in vrm\.agents refer to something that is not in vrm\.user_profiles',
               'and so is a row that refers to nothing');
SELECT matches(pg_temp.forged('[{"relation": "vrm_private.jwt_keys", "row": {"kid": "x"}}]'),
               '^22023 .*"vrm_private.jwt_keys.kid" is not one', 'keys of the database cannot be brought');
SELECT matches(pg_temp.forged('[{"relation": "pg_authid", "row": {"rolname": "x"}}]'), '^22023 .*"pg_authid.rolname"',
               'nor anything outside the platform');
SELECT is_empty(format('SELECT FROM auth.users WHERE id = %L', :'alice'), 'nothing of all that is left');

-- it arrives ------------------------------------------------------------------------------------------------------

DELETE FROM before WHERE relation IN ('auth.users', 'vrm.user_profiles', 'vrm_private.legal_holds');
SELECT is(vrm.import_tenant((SELECT jsonb_agg(l ORDER BY random()) FROM line), :'key'),
          (SELECT count(*) FROM line WHERE l ? 'relation'), 'lines in any order arrive');
SELECT is_empty(format('TABLE before EXCEPT SELECT * FROM vrm.tenant_fingerprint(%L)', :'alice'), 'as they were');
SELECT is_empty(format('SELECT * FROM vrm.tenant_fingerprint(%L) EXCEPT TABLE before_bob', :'bob'),
                'and nobody else has changed');
SELECT is((SELECT array_agg(results) FROM vrm_private.test_runs_archive WHERE user_id = :'alice'),
          ARRAY['null', 'null']::jsonb[], 'a JSON null is no SQL null');
SELECT is(vrm.reveal_row('vrm.api_keys', 'key', (SELECT format('(%s,%s)', user_id, id) FROM vrm.api_keys)),
          'sk-live-alice', 'API keys open');
SELECT is(vrm.reveal_row('vrm.user_profiles', 'mfa_secret', :'alice'), 'JBSWY3DPEHPK3PXP', 'second factors, too');
SELECT is(vrm.reveal_row('vrm.call_recordings', 'data_key',
                         (SELECT format('(%s,%s)', user_id, id) FROM vrm.call_recordings)),
          :'recording_key', 'and so do recordings');
SELECT is((SELECT array_agg(released_at IS NULL ORDER BY hold_id) FROM vrm_private.legal_holds
           WHERE agent_id = :'agent'),
          '{f,t}', 'holds are in force as they were, beside those that stayed');
SELECT is_empty('SELECT * FROM vrm.verify_archive() WHERE NOT ok', 'archived calls are in batches that verify');
SELECT is(pg_temp.as_user(:'alice', format('SELECT message FROM vrm.transcript_turns WHERE run_id = %L', :'run')),
          E'"\\ \n\u00fc', 'what was said comes to the letter');
SELECT is(pg_temp.as_user(:'alice', 'SELECT count(*) FROM vrm.all_test_runs'), '3', 'the tenant sees all calls');
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.start_test_run(%L) IS NOT NULL', :'agent')), 'true',
          'and makes more');
SELECT is((SELECT count(*) FROM vrm.audit_log WHERE action = 'imported a tenant' AND detail ->> 'user_id' = :'alice'),
          1::bigint, 'the import is in the audit trail');

-- who may ---------------------------------------------------------------------------------------------------------

SELECT is(pg_temp.as_user(:'bob', format('SELECT %s', call)), '42501', 'users cannot: ' || call)
FROM unnest(ARRAY[format('vrm.export_tenant(%L)', :'bob'), 'vrm.import_tenant(''[]'')',
                  format('vrm.keep_objects(%L)', :'bob')]) AS call;
SELECT is(pg_temp.as_role('service_role', NULL, format('SELECT count(*) > 0 FROM vrm.export_tenant(%L)', :'bob')),
          'true',
          'the service does it');
SELECT matches(pg_temp.failure(format('SELECT * FROM vrm.export_tenant(%L)', vrm.uuid7())),
               '^P0002 \| user ".*" does not exist', 'of those who exist');
SELECT finish();
ROLLBACK;
