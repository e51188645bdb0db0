-- Limits: each CHECK constraint of the platform refuses what is just beyond it, whoever writes.
BEGIN;
SELECT plan(40);
\ir ../include/people.sql
\ir ../include/secrets.sql
SELECT pg_temp.person('alice@example.org') AS alice \gset
SELECT pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('reception')$$) AS agent \gset
SELECT pg_temp.as_user(:'alice', format('SELECT vrm.start_test_run(%L)', :'agent')) AS run \gset

-- Which constraint a row violates that differs from a good one by the columns given.
CREATE FUNCTION pg_temp.violated(relation regclass, good jsonb, bad jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    violated text := 'none';
    columns text := (SELECT string_agg(quote_ident(key), ', ') FROM jsonb_object_keys(good || bad) AS key);
BEGIN
    BEGIN
        EXECUTE format('INSERT INTO %s (%s) SELECT %2$s FROM jsonb_populate_record(NULL::%1$s, $1)', relation, columns)
            USING good || bad;
        RAISE restrict_violation;  -- a row that is good shall not stay
    EXCEPTION
        WHEN check_violation THEN
            GET STACKED DIAGNOSTICS violated = CONSTRAINT_NAME;
        WHEN restrict_violation THEN
            NULL;
    END;
    RETURN violated;
END
$$;

CREATE TEMP TABLE good AS
SELECT relation::regclass, row::jsonb AS columns
FROM (VALUES
    ('vrm.agents', format('{"user_id": "%s", "agent_id": "a"}', :'alice')),
    ('vrm.test_cases', format('{"user_id": "%s", "name": "a"}', :'alice')),
    ('vrm.test_case_templates', '{"name": "a", "enabled": true}'),
    ('vrm.test_runs', format('{"user_id": "%s", "agent_id": "%s", "status": "running", "time_limit": 60,
                               "started_at": "2026-01-01"}', :'alice', :'agent')),
    ('vrm.transcript_turns',
     format('{"user_id": "%s", "run_id": "%s", "speaker": "a", "message": "b", "at": "0"}', :'alice', :'run')),
    ('vrm.run_actions',
     format('{"user_id": "%s", "run_id": "%s", "action": "a", "status": "b", "at": "0"}', :'alice', :'run')),
    ('vrm.metrics', format('{"user_id": "%s", "name": "a", "prompt": "b"}', :'alice')),
    ('vrm.api_keys', format('{"user_id": "%s", "service": "a", "key": %s}', :'alice', to_json(vrm.seal('sk-live')))),
    ('vrm.call_recordings',
     format('{"user_id": "%s", "run_id": "%s", "object_key": "a", "bytes": 0, "sha256": "\\x%s"}',
                                   :'alice', :'run', repeat('00', 32))),
    ('vrm_private.password_reset_tokens', format('{"user_id": "%s", "token_hash": "\\x%s", "expires_at": "2026-01-01"}',
                                                 :'alice', repeat('00', 32)))) AS of (relation, row);
SELECT is_empty('SELECT relation FROM good WHERE pg_temp.violated(relation, columns, ''{}'') <> ''none''',
                'the good rows are good');

CREATE FUNCTION pg_temp.limited(relation regclass, bad jsonb, constraint_name text) RETURNS text LANGUAGE sql AS $$
    SELECT is(pg_temp.violated(relation, g.columns, bad), constraint_name, relation || ': ' || left(bad::text, 60))
    FROM good g WHERE g.relation = limited.relation
$$;
SELECT pg_temp.limited('vrm.agents', '{"agent_id": ""}', 'agent_id_length');
SELECT pg_temp.limited('vrm.agents', jsonb_build_object('agent_id', repeat('x', 201)), 'agent_id_length');
SELECT pg_temp.limited('vrm.agents', jsonb_build_object('agent_id', repeat('ß', 200)), 'none');
SELECT pg_temp.limited('vrm.agents', jsonb_build_object('agent_type', repeat('x', 201)), 'agent_type_length');
SELECT pg_temp.limited('vrm.agents', jsonb_build_object('persona', repeat('x', 20001)), 'persona_length');
SELECT pg_temp.limited('vrm.agents', jsonb_build_object('scenario', repeat('x', 20001)), 'scenario_length');
SELECT pg_temp.limited('vrm.agents', '{"connection_details": {"voice": 1}}', 'connection_details_shape');
SELECT pg_temp.limited('vrm.test_cases', '{"name": ""}', 'name_length');
SELECT pg_temp.limited('vrm.test_case_templates', jsonb_build_object('name', repeat('x', 201)), 'name_length');
SELECT pg_temp.limited('vrm.test_runs', '{"time_limit": 86401}', 'time_limit_range');
SELECT pg_temp.limited('vrm.test_runs', '{"outbound_call_params": [1]}', 'outbound_call_params_is_object');
SELECT pg_temp.limited('vrm.test_runs', jsonb_build_object('results', repeat('x', 16777217)), 'results_size');
SELECT pg_temp.limited('vrm.test_runs', jsonb_build_object('error', repeat('x', 20001)), 'error_length');
SELECT pg_temp.limited('vrm.test_runs', '{"completed_at": "2026-01-02"}', 'final_when_completed');
SELECT pg_temp.limited('vrm.test_runs', '{"status": "completed", "completed_at": "2025-01-01"}',
                       'completed_after_start');
SELECT pg_temp.limited('vrm.test_runs', '{"status": "completed", "completed_at": "2026-01-01"}', 'none');
SELECT pg_temp.limited('vrm.transcript_turns', jsonb_build_object('speaker', repeat('x', 201)), 'speaker_length');
SELECT pg_temp.limited('vrm.transcript_turns', jsonb_build_object('message', repeat('x', 100001)), 'message_length');
SELECT pg_temp.limited('vrm.transcript_turns', '{"at": "-1 s"}', 'at_not_negative');
SELECT pg_temp.limited('vrm.run_actions', jsonb_build_object('action', repeat('x', 2001)), 'action_length');
SELECT pg_temp.limited('vrm.run_actions', '{"status": ""}', 'status_length');
SELECT pg_temp.limited('vrm.run_actions', '{"at": "-1 s"}', 'at_not_negative');
SELECT pg_temp.limited('vrm.metrics', '{"name": ""}', 'name_length');
SELECT pg_temp.limited('vrm.metrics', jsonb_build_object('prompt', repeat('x', 20001)), 'prompt_length');
SELECT pg_temp.limited('vrm.api_keys', '{"service": ""}', 'service_length');
SELECT pg_temp.limited('vrm.api_keys', '{"key_hint": "12345"}', 'key_hint_length');
SELECT pg_temp.limited('vrm.api_keys', jsonb_build_object('description', repeat('x', 2001)), 'description_length');
SELECT pg_temp.limited('vrm.call_recordings', '{"object_key": ""}', 'object_key_length');
SELECT pg_temp.limited('vrm.call_recordings', '{"bytes": -1}', 'bytes_not_negative');
SELECT pg_temp.limited('vrm.call_recordings', '{"sha256": "\\x00"}', 'sha256_length');
SELECT pg_temp.limited('vrm_private.password_reset_tokens', '{"token_hash": "\\x00"}', 'token_hash_is_sha256');

-- a profile is there already
SELECT throws_ok(format('UPDATE vrm.user_profiles SET %s = repeat(''x'', 2001) WHERE id = %L', name, :'alice'),
                 '23514', NULL,
                 'user_profiles.' || name)
FROM unnest(ARRAY['full_name', 'organization', 'avatar_url']) AS name;

-- those who write tables themselves are told what they take
SELECT is(pg_temp.error_of(:'alice', statement),
          '23514 | ' || told || ' | The limits are in doc/data-architecture.md.', told)
FROM (VALUES ($$INSERT INTO vrm.metrics (name, prompt) VALUES ('', 'x')$$,
              'name of "metrics" is not valid | It must be a text of 1 to 200 characters, got 0.'),
             ($$INSERT INTO vrm.test_cases (name) VALUES (repeat('x', 201))$$,
              'name of "test_cases" is not valid | It must be a text of 1 to 200 characters, got 201.'),
             ($$UPDATE vrm.agents SET persona = repeat('x', 20001)$$,
              'persona of "agents" is not valid | It must be a text of 0 to 20000 characters, got 20001.'),
             ($$UPDATE vrm.user_profiles SET avatar_url = repeat('x', 2001)$$,
              'avatar_url of "user_profiles" is not valid | It must be a text of 0 to 2000 characters, got 2001.')
    ) AS t (statement, told);
SELECT alike(pg_temp.error_of(:'alice', $$UPDATE vrm.agents SET connection_details = '{"voice": 1}'$$),
             '23514 | connection_details are not valid | %/voice%', 'and where a document is wrong');

SELECT * FROM finish();
ROLLBACK;
