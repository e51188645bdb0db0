-- Plays the sample calls of calls.jsonl into a fresh database, as an application would: through the
-- API, as an ordinary user, one transaction a call.  Only what the DBA does, a superuser does.
SET client_min_messages = warning;
\set dba :USER

-- The DBA: a login for the application, and two people -------------------------------------------

SELECT NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'demo_app') AS is_new \gset
\if :is_new
CREATE ROLE demo_app LOGIN;
\endif
GRANT authenticated, service_role TO demo_app;
-- Whoever signs people in has a key (here the example of RFC 7515, A.3); the database knows its
-- public half and believes nothing that it has not signed.
SELECT vrm.jwk_import('{"keys": [{"kid": "demo", "kty": "EC", "crv": "P-256",
                         "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                         "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}',
                      'https://demo.example') AS keys \gset

CREATE SCHEMA demo AUTHORIZATION demo_app;
CREATE TABLE demo.person (name text PRIMARY KEY, id uuid NOT NULL, token text NOT NULL);
COMMENT ON TABLE demo.person IS 'who signs in, and the token they bring';
GRANT SELECT ON demo.person TO demo_app;

CREATE FUNCTION demo.sign_in(who text) RETURNS void LANGUAGE sql AS $$
    SELECT vrm.login(token), set_config('role', 'authenticated', true)
    FROM demo.person WHERE name = who
$$;
COMMENT ON FUNCTION demo.sign_in(text) IS
    'what the application does first in each transaction: passes the token on, and takes the role';

-- Signing up is a row in auth.users; the profile appears by itself.
INSERT INTO auth.users (id, email, raw_user_meta_data)
VALUES ('018f0000-0000-7000-8000-0000000000a1', 'ana@northwind.example', '{"full_name": "Ana Duarte"}'),
       ('018f0000-0000-7000-8000-0000000000b2', 'ben@harbour-bank.example', '{"full_name": "Ben Okafor"}');
INSERT INTO demo.person VALUES
    ('ana', '018f0000-0000-7000-8000-0000000000a1', 'eyJhbGciOiJFUzI1NiIsImtpZCI6ImRlbW8ifQ.eyJpc3MiOiJodHRwczovL2RlbW8uZXhhbXBsZSIsInN1YiI6IjAxOGYwMDAwLTAwMDAtNzAwMC04MDAwLTAwMDAwMDAwMDBhMSIsInJvbGUiOiJhdXRoZW50aWNhdGVkIiwiZW1haWwiOiJhbmFAbm9ydGh3aW5kLmV4YW1wbGUiLCJleHAiOjQxMDI0NDQ4MDB9.0yP6IrsK7LNxLXbhPLghhEKCzvelyR-hXp0lKezKQcp1qy6znznOwvK8txbjdcMcjdxXtti7RNq8wF6dfByBKQ'),
    ('ben', '018f0000-0000-7000-8000-0000000000b2', 'eyJhbGciOiJFUzI1NiIsImtpZCI6ImRlbW8ifQ.eyJpc3MiOiJodHRwczovL2RlbW8uZXhhbXBsZSIsInN1YiI6IjAxOGYwMDAwLTAwMDAtNzAwMC04MDAwLTAwMDAwMDAwMDBiMiIsInJvbGUiOiJhdXRoZW50aWNhdGVkIiwiZW1haWwiOiJiZW5AaGFyYm91ci1iYW5rLmV4YW1wbGUiLCJleHAiOjQxMDI0NDQ4MDB9.tXMy4sdKKwAVmcGEqcsLufzbC-6DF5ZDhM0aMo8vqISsE7Qlg9wa4Vf2iKdxLbFTdzE_ttFs43mOwR5_WGJy6Q');

-- Keys to seal values with, wrapped by the master key, which is in a file.
ALTER DATABASE :"DBNAME" SET vrm.master_key_file = :'master_key';
SET vrm.master_key_file = :'master_key';
SELECT vrm.key_create('data') AS made, vrm.key_create('blind_index') AS made_too \gset

-- The application: agents ------------------------------------------------------------------------

\connect - demo_app
SET client_min_messages = warning;

BEGIN;
SELECT demo.sign_in('ana') AS signed_in \gset
SELECT vrm.create_agent(
    agent_id => 'appointment-desk', agent_type => 'receptionist', direction => 'inbound',
    connection_details => '{
        "voice": "sarah",
        "systemPrompt": "You answer a clinic''s telephone. Be brief. Never give medical advice.",
        "introPrompt": "Lindenhof Clinic, how can I help?",
        "fallbackPrompt": "I''m sorry, I didn''t understand that. Could you say it again?"}',
    persona => 'Friendly, unhurried, precise with dates',
    scenario => 'Moves, books and cancels appointments') AS made,
vrm.create_agent(
    agent_id => 'refund-line', agent_type => 'customer service', direction => 'inbound',
    connection_details => '{
        "voice": "marcus",
        "systemPrompt": "You handle returns and refunds of an online shop.",
        "fallbackPrompt": "I''m sorry, I didn''t understand that. Could you say it again?"}',
    persona => 'Apologetic, but quick',
    scenario => 'Refunds orders of up to 250 euros by itself') AS made_too,
vrm.create_agent(
    agent_id => 'broadband-support', agent_type => 'technical support', direction => 'inbound',
    connection_details => '{
        "voice": "ines",
        "systemPrompt": "You help people to get their internet connection going again.",
        "fallbackPrompt": "I''m sorry, I didn''t understand that. Could you say it again?"}',
    persona => 'Patient, explains one step at a time',
    scenario => 'Restarts routers, measures lines, books technicians') AS made_as_well \gset
COMMIT;

-- Ana keeps the keys of two services.  An application passes them as parameters; psql 15 has none.
SET vrm.secret_literals = allow;
BEGIN;
SELECT demo.sign_in('ana') AS signed_in \gset
SELECT vrm.store_api_key('speech-to-text', 'stt-live-8Jx2vQ0pZk4Lw7', 'transcripts') AS stored,
       vrm.store_api_key('telephony', 'tel-live-Qm5Ra93TzUb1Ye', 'outbound calls') AS stored_too \gset
COMMIT;

BEGIN;
SELECT demo.sign_in('ben') AS signed_in \gset
SELECT vrm.create_agent(
    agent_id => 'card-emergency', agent_type => 'bank', direction => 'inbound',
    connection_details => '{
        "voice": "oliver",
        "systemPrompt": "You block lost and stolen cards. Verify the caller first."}',
    persona => 'Calm',
    scenario => 'Blocks cards, disputes payments, orders new cards') AS made \gset
COMMIT;

-- The application: calls -------------------------------------------------------------------------

CREATE TABLE demo.refusal (line bigint, sent jsonb, why text);
COMMENT ON TABLE demo.refusal IS 'lines of calls.jsonl that the database refused, and what in them';
CREATE TABLE demo.played (run_id uuid PRIMARY KEY, document jsonb NOT NULL);
COMMENT ON TABLE demo.played IS 'calls that were played in';

CREATE TEMPORARY TABLE sample_call (line bigint GENERATED ALWAYS AS IDENTITY, document text);
-- No character of a line means anything to COPY: these two do not occur.
\copy sample_call (document) FROM 'calls.jsonl' WITH (FORMAT csv, QUOTE e'\x01', DELIMITER e'\x02')

-- What an application does in the course of one call; returns the call.
CREATE FUNCTION demo.play(call jsonb) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    agent uuid := (SELECT id FROM vrm.agents WHERE agent_id = call ->> 'agent');
    run uuid;
BEGIN
    IF call ->> 'status' = 'queued' THEN
        INSERT INTO vrm.test_runs (agent_id, status) VALUES (agent, 'queued') RETURNING id INTO run;
        RETURN run;
    END IF;
    run := vrm.start_test_run(agent, time_limit => (call ->> 'time_limit')::integer);
    PERFORM vrm.append_transcript(run, turn ->> 'speaker', turn ->> 'message',
                                  make_interval(secs => (turn ->> 'at')::integer))
    FROM jsonb_array_elements(call -> 'turns') AS turn;
    PERFORM vrm.record_action(run, action ->> 'action', action ->> 'status',
                              make_interval(secs => (action ->> 'at')::integer))
    FROM jsonb_array_elements(call -> 'actions') AS action;
    CASE call ->> 'status'
        WHEN 'completed' THEN PERFORM vrm.complete_test_run(run, call -> 'results');
        WHEN 'failed' THEN PERFORM vrm.fail_test_run(run, call ->> 'error');
        WHEN 'cancelled' THEN PERFORM vrm.cancel_test_run(run);
        ELSE NULL;
    END CASE;
    RETURN run;
END
$$;
GRANT USAGE ON SCHEMA demo TO authenticated;
COMMENT ON FUNCTION demo.play(jsonb) IS 'what an application does in the course of a call';

-- One transaction a call.  A refused line leaves nothing behind, and the others go on.
DO $$
DECLARE
    sample record;
    call jsonb;
    run uuid;
    said text;
    detail text;
    place text[];
BEGIN
    FOR sample IN SELECT line, document FROM sample_call ORDER BY line LOOP
        BEGIN
            call := NULL;
            call := sample.document;
            PERFORM demo.sign_in(call ->> 'user');
            run := demo.play(call);
            RESET ROLE;
            INSERT INTO demo.played VALUES (run, call);
        EXCEPTION
            WHEN OTHERS THEN
                GET STACKED DIAGNOSTICS said = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
                IF said = 'results are not valid' THEN  -- the detail starts with a pointer
                    said := detail;
                    place := string_to_array(substr(split_part(detail, ': ', 1), 2), '/');
                ELSE
                    said := concat_ws(': ', said, nullif(detail, ''));
                END IF;
                INSERT INTO demo.refusal VALUES (sample.line, call -> 'results' #> place, said);
        END;
        COMMIT;
    END LOOP;
END
$$;

DO $$
BEGIN
    IF (SELECT count(*) FROM demo.refusal) > 20 THEN
        RAISE EXCEPTION 'good calls were refused'
            USING DETAIL = (SELECT format('Line %s: %s.', line, why) FROM demo.refusal LIMIT 1);
    END IF;
END
$$;

-- The DBA: makes a month of history of what was played in within seconds --------------------------

\connect - :dba
SET client_min_messages = warning;

BEGIN;
UPDATE vrm.agents SET created_at = now() - interval '31 days';
WITH past AS (
    SELECT run_id,
           -- within the thirty days, today included, that the report shows
           now() - make_interval(mins => (document ->> 'minutes_ago')::integer * 99 / 100) AS started_at,
           make_interval(secs => (document ->> 'seconds')::integer) AS length
    FROM demo.played
), moved AS (
    UPDATE vrm.test_runs r
    SET started_at = p.started_at,
        completed_at = CASE WHEN r.completed_at IS NOT NULL THEN p.started_at + p.length END,
        results = jsonb_set(r.results, '{duration}', to_jsonb(to_char(p.length, 'FMMI:SS')))
    FROM past p
    WHERE p.run_id = r.id
    RETURNING r.id, r.started_at, r.completed_at)
UPDATE vrm.run_events e
SET at = CASE WHEN e.status IN ('queued', 'running') THEN m.started_at ELSE m.completed_at END
FROM moved m
WHERE m.id = e.run_id;
COMMIT;

-- The disk has filled a little every day, or so the report is to see it.
INSERT INTO vrm.storage_samples (path, day, at, used_bytes, free_bytes)
SELECT d.path, (now() AT TIME ZONE 'UTC')::date - n, now() - make_interval(days => n),
       d.total_bytes - d.free_bytes - (n + abs(n % 7 - 3)) * d.free_bytes / 1000, d.free_bytes + n * d.free_bytes / 1000
FROM vrm.disk() d, generate_series(1, 29) AS n
WHERE d.total_bytes IS NOT NULL
ON CONFLICT DO NOTHING;
VACUUM ANALYZE;
