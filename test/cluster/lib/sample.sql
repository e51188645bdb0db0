-- A row at least in every table: two people at work through the API, and then, for tables that this
-- does not reach, a row made up from the columns' types and foreign keys.

INSERT INTO auth.users (id, email, raw_user_meta_data)
VALUES ('00000000-0000-7000-8000-00000000000a', 'alice@example.org', '{"full_name": "Alice"}'),
       ('00000000-0000-7000-8000-00000000000b', 'bob@example.org', NULL);
INSERT INTO vrm_private.sessions (user_id, aal) SELECT id, 'aal1' FROM auth.users LIMIT 1;
INSERT INTO vrm.audit_log (class, action) VALUES ('security', 'sampled');
SELECT vrm.record_backup('[{"label": "base-1", "kind": "full", "started_at": "2026-01-01 01:00+00",
                            "finished_at": "2026-01-01 01:10+00"}]', 'plain') \g /dev/null
INSERT INTO vrm_private.audit_seals (id, class, system, era, horizon, entries, root, mac)
    VALUES (1, 'security', 1, 1, '3', 1, sha256('a'), '\x00');
UPDATE vrm.user_profiles SET role = 'admin', organization = E'tabs\tand "quotes"' WHERE email LIKE 'alice%';

CREATE FUNCTION pg_temp.sign_in(who uuid) RETURNS void LANGUAGE sql AS $$
    SELECT set_config('request.jwt.claims', jsonb_build_object('sub', who, 'role', 'authenticated')::text, true),
           set_config('role', 'authenticated', true)
$$;

BEGIN;
SELECT pg_temp.sign_in('00000000-0000-7000-8000-00000000000b') \g /dev/null
SELECT vrm.create_agent('sales') AS bobs_agent \gset
UPDATE vrm.test_cases SET is_shared = true WHERE name = 'sales: friendly caller';
COMMIT;

BEGIN;
SELECT pg_temp.sign_in('00000000-0000-7000-8000-00000000000a') \g /dev/null
SELECT vrm.create_agent('reception', 'voice', '{"voice": "alloy", "systemPrompt": "Be kind. \u00fc\\"}', 'inbound')
       AS agent \gset
SELECT array_agg(id) AS cases FROM vrm.test_cases \gset
SELECT vrm.start_test_run(:'agent', :'cases', 3600, '{"to": "+15550100"}') AS done,
       vrm.start_test_run(:'agent', time_limit => 3600) AS live,
       vrm.start_test_run(:'agent') AS wrong \gset
SELECT vrm.append_transcript(:'done', 'Agent', E'Hello!\nHow "are" you?', '1 s'),
       vrm.record_action(:'done', 'Looked up the customer'),
       vrm.append_transcript(:'live', 'Customer', 'still talking \.'),
       vrm.record_action(:'live', 'Opened a ticket'),
       vrm.complete_test_run(:'done', '{"customer": "c@example.com", "sentiment": "positive"}'),
       vrm.fail_test_run(:'wrong', 'line went dead') \g /dev/null
INSERT INTO vrm.test_runs (agent_id, status) VALUES (:'agent', 'queued');
INSERT INTO vrm.metrics (name, prompt) VALUES ('politeness', 'Was the agent polite?');
SELECT vrm.record_metric_result(id, :'done', 0.9, true, 'very') FROM vrm.metrics \g /dev/null
COMMIT;
SELECT to_regclass('vrm.suites') IS NOT NULL AS has_suites \gset
\if :has_suites
BEGIN;
SELECT pg_temp.sign_in('00000000-0000-7000-8000-00000000000a') \g /dev/null
INSERT INTO vrm.suites (name, case_ids, repeats) SELECT 'nightly', array_agg(id), 2 FROM vrm.test_cases
RETURNING id AS suite \gset
SELECT vrm.start_suite(NULL, :'agent', suite => :'suite') AS suite_run \gset
SELECT run_id AS tested FROM vrm.claim_test_run('runner', '1 day', 2) ORDER BY run_id LIMIT 1 \gset
SELECT vrm.complete_test_run(:'tested') \g /dev/null
SELECT vrm.record_verdict(:'tested', id, 'person A', false, rationale => 'rude') FROM vrm.metrics \g /dev/null
COMMIT;
\endif
SELECT to_regclass('vrm.agent_thresholds') IS NOT NULL AS has_agent_thresholds \gset
\if :has_agent_thresholds
INSERT INTO vrm.agent_thresholds (user_id, measure, comparison, threshold, min_calls)
SELECT user_id, 'pass_rate', '<', 0.9, 1 FROM vrm.suites;
INSERT INTO vrm.agent_alerts (user_id, threshold_id, agent_id, measure, value, allowed, calls)
SELECT t.user_id, t.id, :'agent', t.measure, 0.5, 0.9, 2 FROM vrm.agent_thresholds t;
\endif
SELECT to_regclass('vrm_private.team_members') IS NOT NULL AS has_teams \gset
\if :has_teams
BEGIN;
SELECT pg_temp.sign_in('00000000-0000-7000-8000-00000000000b') \g /dev/null
SELECT vrm.create_organisation('Acme') AS acme \gset
SELECT vrm.act_as(:'acme'), vrm.invite('alice@example.org', 'viewer') \g /dev/null
COMMIT;
\endif
SELECT vrm_private.compact_calls() AS compacted \gset

SELECT vrm.jwk_import('{"keys": [{"kid": "k", "kty": "OKP", "crv": "Ed25519",
                       "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}', 'https://issuer.example') \g /dev/null

SET vrm.master_key_command = 'echo test:c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlISE=';
SET vrm.secret_literals = allow;
SELECT vrm.key_create('blind_index'), vrm.key_create('data') \g /dev/null
BEGIN;
SELECT pg_temp.sign_in('00000000-0000-7000-8000-00000000000a') \g /dev/null
SELECT vrm.store_api_key('openai', 'sk-live-0123456789abcdef'),
       vrm.register_recording(:'done', 'recordings/1.ogg', 48213, sha256('sound')) \g /dev/null
COMMIT;

-- What retention leaves behind: an archived call, one that came back, a hold.
INSERT INTO vrm.test_runs (user_id, status, started_at, completed_at, results)
SELECT '00000000-0000-7000-8000-00000000000b', 'completed', '2020-01-01', '2020-01-02', '{"duration": "0:10"}'
FROM generate_series(1, 3);
SELECT vrm.archive_old_test_runs() \g /dev/null
SELECT vrm.place_hold('came back', run_id => id), vrm.restore_from_archive(ARRAY[id])
FROM (SELECT min(id::text)::uuid AS id FROM vrm_private.test_runs_archive) AS oldest \g /dev/null
INSERT INTO auth.users (id, email) VALUES ('00000000-0000-7000-8000-00000000000d', 'dora@example.org'),
                                          ('00000000-0000-7000-8000-00000000000e', 'emil@example.org');
SELECT vrm.delete_account('00000000-0000-7000-8000-00000000000d'),
       vrm.erase_user('00000000-0000-7000-8000-00000000000e', 'asked for it') \g /dev/null
SELECT vrm.log('application', 'info', 'hello'), vrm.log('error', 'error', 'oh'), vrm.log('analytics', 'info', 'x') \g /dev/null
SELECT vrm.run_quality_checks('vrm.metrics') \g /dev/null
INSERT INTO vrm.call_recordings (user_id, run_id, object_key, bytes, sha256)
SELECT user_id, id, 'gone', 1, sha256('') FROM vrm.test_runs LIMIT 1;
DELETE FROM vrm.call_recordings WHERE object_key = 'gone';

INSERT INTO vrm.call_imports (user_id, source, payload)
SELECT id, 'vrm', '{}' FROM vrm.user_profiles LIMIT 1;

-- A value for any column; null where there is no telling.
CREATE FUNCTION pg_temp.made_up(type oid) RETURNS text LANGUAGE sql AS $$
    SELECT CASE
        WHEN t.typname = 'sealed' THEN 'vrm.seal(''abcd'')'
        WHEN t.typname = 'run_status' THEN '''completed'''
        WHEN t.typtype = 'd' THEN pg_temp.made_up(t.typbasetype)
        WHEN t.typtype = 'e' THEN (SELECT quote_literal(enumlabel) FROM pg_enum WHERE enumtypid = t.oid
                                   ORDER BY enumsortorder LIMIT 1)
        WHEN t.typname = 'tsvector' THEN '''word'''
        WHEN t.typname = 'pg_snapshot' THEN '''10:20:'''
        WHEN t.typname = 'xid8' THEN '''3'''
        WHEN t.typname = 'pg_lsn' THEN '''0/1000000'''
        WHEN t.typcategory = 'A' THEN '''{}'''
        WHEN t.typname = 'bytea' THEN '''\x' || repeat('ab', 32) || ''''
        WHEN t.typname = 'uuid' THEN '''00000000-0000-7000-8000-00000000000c'''
        WHEN t.typname IN ('json', 'jsonb') THEN '''{}'''
        WHEN t.typname IN ('timestamptz', 'timestamp', 'date') THEN '''2026-01-02'''
        WHEN t.typname = 'inet' THEN '''192.0.2.1'''
        WHEN t.typcategory = 'T' THEN '''1 s'''
        WHEN t.typcategory = 'N' THEN '1'
        WHEN t.typcategory = 'B' THEN 'true'
        WHEN t.typcategory = 'S' THEN '''abcd'''
    END
    FROM pg_type t WHERE t.oid = type
$$;

-- INSERT of one row, the values of foreign keys taken from the table that they refer to.
CREATE FUNCTION pg_temp.row_for(relation regclass, required_only boolean) RETURNS text LANGUAGE sql AS $$
    SELECT format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s', relation,
                  string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum),
                  string_agg(coalesce(
                      (SELECT format('(SELECT %I FROM %s LIMIT 1)', b.attname, f.confrelid::regclass)
                       FROM pg_constraint f
                       JOIN pg_attribute b ON b.attrelid = f.confrelid
                            AND b.attnum = f.confkey[array_position(f.conkey, a.attnum)]
                       WHERE f.conrelid = relation AND f.contype = 'f' AND a.attnum = ANY (f.conkey)
                       ORDER BY cardinality(f.conkey) DESC LIMIT 1),
                      pg_temp.made_up(a.atttypid), 'NULL'), ', ' ORDER BY a.attnum))
    FROM pg_attribute a
    WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
      AND (NOT required_only OR a.attnotnull AND NOT a.atthasdef)
$$;

CREATE TEMPORARY VIEW tables AS
    SELECT c.oid::regclass AS relation
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('vrm', 'vrm_private', 'auth') AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    ORDER BY c.relname;

CREATE FUNCTION pg_temp.is_empty(relation regclass) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    found boolean;
BEGIN
    EXECUTE format('SELECT NOT EXISTS (SELECT FROM %s)', relation) INTO found;
    RETURN found;
END
$$;

-- what the values made up below would not do for: of five tenants at least
SELECT to_regclass('vrm_private.archive_dictionaries') IS NOT NULL AS has_dictionaries \gset
\if :has_dictionaries
INSERT INTO vrm_private.archive_dictionaries (content, content_sha256, tenants_at_least, tenants, messages)
VALUES ('How can I help you?', sha256('How can I help you?'), 5, 7, 40);
\endif

-- Twice, because a table may refer to one that comes after it; the second time without the columns
-- that may be left out, because values that are made up may offend a CHECK.
DO $$
DECLARE
    target regclass;
    again boolean;
BEGIN
    FOR again, target IN SELECT a, relation FROM tables, unnest('{false,true}'::boolean[]) AS a ORDER BY a LOOP
        IF pg_temp.is_empty(target) THEN
            BEGIN
                EXECUTE pg_temp.row_for(target, again);
            EXCEPTION WHEN OTHERS THEN
                RAISE WARNING 'no row for %: %', target, SQLERRM USING DETAIL = pg_temp.row_for(target, again);
            END;
        END IF;
    END LOOP;
END
$$;

SELECT coalesce(string_agg(relation::text, ', '), 'none') AS empty_tables
FROM tables WHERE pg_temp.is_empty(relation);
