-- One statement a call: who calls, what is called and what comes back, and the attacks on each.
BEGIN;
SELECT plan(161);
\ir ../include/people.sql
\ir ../include/secrets.sql
\ir ../../data/tokens.sql
SELECT 'a' || gen_random_uuid() || '@example.org' AS mail, 'b' || gen_random_uuid() || '@example.org' AS bobs_mail \gset

-- What a call comes to: its result as text, or the reason of its error.
CREATE FUNCTION pg_temp.result(answer jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN answer ? 'result' AND answer - 'result' = '{}' THEN answer ->> 'result'
                ELSE 'error: ' || (answer #>> '{error,reason}') END
$$;
CREATE FUNCTION pg_temp.rpc(token text, function text, arguments jsonb DEFAULT '{}') RETURNS text LANGUAGE sql
    AS 'SELECT pg_temp.result(vrm.rpc($1, $2, $3))';

-- A function of the API that tells what it runs as; nobody but this test has it.
CREATE FUNCTION vrm.spy(statement text DEFAULT NULL) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    found text;
BEGIN
    IF statement IS NOT NULL THEN
        EXECUTE statement INTO found;
    END IF;
    RETURN jsonb_build_object('user', current_user, 'role', current_setting('role'), 'uid', vrm.uid(),
                              'path', current_setting('search_path'), 'token', current_setting('vrm.token', true),
                              'claims', current_setting('request.jwt.claims', true), 'found', found);
END
$$;
GRANT EXECUTE ON FUNCTION vrm.spy(text) TO anon, authenticated, service_role;

-- from signing up to calls -----------------------------------------------------------------------

SELECT matches(pg_temp.rpc(NULL, 'sign_up', jsonb_build_object('email', :'mail', 'password', 'correct horse')),
               '^[0-9a-f-]{36}$', 'who has no token signs up');
SELECT pg_temp.rpc(NULL, 'sign_up', jsonb_build_object('email', :'bobs_mail', 'password', 'battery staple')) AS b \gset
UPDATE auth.users SET email_confirmed_at = now() WHERE email IN (:'mail', :'bobs_mail');
SELECT vrm.rpc(NULL, 'sign_in', jsonb_build_object('email', :'mail', 'password', 'correct horse')) AS signed_in \gset
SELECT :'signed_in'::jsonb #>> '{result,access_token}' AS token,
       (vrm.sign_in(:'bobs_mail', 'battery staple')).access_token AS bobs_token,
       (SELECT id FROM auth.users WHERE email = :'mail') AS alice,
       (SELECT id FROM auth.users WHERE email = :'bobs_mail') AS bob \gset
SELECT is(:'signed_in'::jsonb #>> '{result,status}', 'ok', 'and in: a row is an object');
SELECT is(pg_temp.rpc(NULL, 'sign_in', jsonb_build_object('email', :'mail', 'password', 'wrong'))::jsonb ->> 'status',
          'invalid', 'a wrong password is a status, as ever');
SELECT is(pg_temp.rpc(:'token', 'uid'), :'alice', 'with a token somebody calls');
SELECT is(pg_temp.rpc(NULL, 'uid'), NULL, 'without one nobody does');
SELECT pg_temp.rpc(:'token', 'create_agent', '{"agent_id": "reception"}') AS agent \gset
SELECT is((SELECT user_id::text FROM vrm.agents WHERE id = :'agent'), :'alice', 'what is made is theirs');
SELECT pg_temp.rpc(:'token', 'start_test_run', jsonb_build_object('agent_id', :'agent', 'time_limit', 90)) AS run \gset
SELECT is(vrm.rpc(:'token', 'begin_test_run', jsonb_build_object('run_id', :'run')), '{"result": null}',
          'what returns nothing is null');
SELECT is(pg_temp.rpc(:'token', 'append_transcript', jsonb_build_object('run_id', :'run', 'speaker', 'Agent', 'message',
                                                                       'Hello', 'at', 1.5)), NULL,
          'a duration is given in seconds');
SELECT is((SELECT at FROM vrm.transcript_turns WHERE run_id = :'run'), '1.5 seconds'::interval, 'and understood');
SELECT is(jsonb_typeof(vrm.rpc(:'token', 'live_calls') #> '{result,0,elapsed}'), 'number', 'it comes as a number, too');
SELECT is(vrm.rpc(:'token', 'live_calls') #>> '{result,0,last_message}', 'Hello', 'a set is an array of objects');
SELECT is(pg_temp.rpc(:'token', 'complete_test_run',
                      jsonb_build_object('run_id', :'run', 'results', '{"duration": "1:00"}'::jsonb)),
          NULL, 'a document is given as it is');
SELECT is(pg_temp.rpc(:'token', 'call_duration', '{"results": {"duration": "2:05"}}'), '125', 'seconds and no text');
SELECT is(pg_temp.rpc(:'token', 'call_history', '{"page_size": 1}')::jsonb -> 0 ->> 'agent', 'reception',
          'what has defaults may be left out');
SELECT is(vrm.rpc(:'bobs_token', 'call_history'), '{"result": []}', 'others see nothing of it, and an empty set is []');
SELECT is(vrm.rpc(:'token', 'holm_adjusted', '{"p_values": [0.01, 0.5]}'), '{"result": [0.02, 0.5]}',
          'arrays come and go as arrays');
SELECT matches(pg_temp.rpc(:'token', 'user_dashboard')::jsonb ->> 'last_call_at', '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d',
               'moments are in ISO 8601');
SELECT is(vrm.rpc(:'token', 'uuid7', '{"at": null}'), '{"result": null}', 'a null is null');
SELECT is(vrm.rpc(:'token', 'uid', NULL), jsonb_build_object('result', :'alice'), 'null arguments are none');
SELECT is(vrm.rpc(:'token', 'wilson_interval', '{"passed": 1, "runs": "2"}') -> 'result' -> 'lower',
          to_jsonb((vrm.wilson_interval(1, 2)).lower), 'numbers may come as text');

-- what it runs as --------------------------------------------------------------------------------

SELECT is((vrm.rpc(:'token', 'spy') -> 'result') - 'found',
          jsonb_build_object('user', 'authenticated', 'role', 'authenticated', 'uid', :'alice',
                             'path', 'pg_catalog, pg_temp', 'token', '', 'claims', ''),
          'a token gives the rights of authenticated, by name and in fact, and a safe search_path');
SET LOCAL search_path = public, pg_catalog;
SELECT set_config('request.jwt.claims', jsonb_build_object('sub', :'bob', 'role', 'service_role')::text, true)
\g /dev/null
SELECT is((vrm.rpc(NULL, 'spy') -> 'result') - '{found,path}'::text[],
          '{"user": "anon", "role": "anon", "uid": null, "token": "", "claims": ""}',
          'none gives those of anon, whoever the session is');
SELECT is(vrm.uid(), :'bob'::uuid, 'the session stays who it was');
SELECT is(vrm.rpc(:'token', 'uid') ->> 'result', :'alice', 'a token counts more than claims');
SELECT is(vrm.uid(), :'bob'::uuid, 'for the call alone');
SELECT set_config('request.jwt.claims', '', true) \g /dev/null
SELECT is(concat_ws(' ', vrm.uid(), current_user = session_user, current_setting('role'),
                    current_setting('search_path'), current_setting('vrm.identity'), current_setting('vrm.token')),
          't none public, pg_catalog  ', 'nothing of a call is left behind');
SELECT is(pg_temp.rpc(:'token', 'spy', '{"statement": "SELECT 1 / 0"}'), 'error: bad_argument',
          'an error is an answer');
SELECT is(concat_ws(' ', vrm.uid(), current_user = session_user, current_setting('role'),
                    current_setting('search_path')),
          't none public, pg_catalog', 'and leaves nothing behind either');
SELECT is(pg_temp.rpc(:'token', 'spy', jsonb_build_object('statement', statement)), reason, statement)
FROM (VALUES ('SET ROLE NONE', 'error: not_allowed'), ('RESET ROLE', 'error: not_allowed'),
             ('SELECT set_config(''role'', ''service_role'', true)', 'error: not_allowed'),
             ('SET SESSION AUTHORIZATION DEFAULT', 'error: not_allowed'),
             ('SELECT count(*) FROM vrm_private.sessions', 'error: not_allowed')) AS escape (statement, reason);
SELECT is(vrm.rpc(:'token', 'spy', '{"statement": "SELECT vrm.rpc(NULL, ''uid'')"}') #>> '{result,found}',
          '{"error": {"code": "42501", "hint": null, "detail": null, "reason": "not_signed_in", "message": '
          '"cannot set parameter \"role\" within security-definer function"}}', 'a call does not begin another one');
SELECT is(vrm.rpc(:'token', 'spy', '{"statement": "SELECT set_config(''search_path'', ''public'', false)"}')
          #>> '{result,path}', 'public', 'what a call sets');
SELECT is(current_setting('search_path'), 'public, pg_catalog', 'ends with it');
RESET search_path;

CREATE FUNCTION pg_temp.as_owner(token text) RETURNS text LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $$ SELECT vrm.rpc(token, 'uid')::text $$;
SELECT matches(pg_temp.as_owner(:'token'), 'within security-definer function',
               'rights of a SECURITY DEFINER function are not exchanged for others');

-- An application: a role that may be anon and authenticated, and nothing else.
CREATE ROLE vrm_application LOGIN IN ROLE anon, authenticated;
CREATE ROLE vrm_visitor LOGIN IN ROLE anon;
SET LOCAL SESSION AUTHORIZATION vrm_application;
SELECT vrm.rpc(:'token', 'spy') #>> '{result,user}' AS as_alice,
       vrm.rpc(NULL, 'spy') #>> '{result,user}' AS as_nobody \gset
SET LOCAL SESSION AUTHORIZATION vrm_visitor;
SELECT vrm.rpc(:'token', 'spy') AS visitors \gset
SET LOCAL SESSION AUTHORIZATION DEFAULT;
SELECT is(:'as_alice' || ' ' || :'as_nobody', 'authenticated anon', 'an application calls for people and for nobody');
SELECT is(:'visitors'::jsonb #>> '{error,code}', '42501', 'a role gives nobody a role that it is not a member of');

-- what can be called -----------------------------------------------------------------------------

SELECT is(pg_temp.rpc(:'token', name), 'error: unknown_function', 'no function to call: ' || name)
FROM unnest(ARRAY['', 'nothing', 'login', 'logout', 'rpc', 'rpc_batch', 'rpc_support', 'secret_in', 'maintain',
                  'vrm.uid', 'VRM', 'caller', 'vrm_private.caller', 'pg_sleep', 'call_stats_agg', 'set_updated_at',
                  'uid(); DROP TABLE vrm.agents; --', 'row_digest']) AS name;
SELECT is(pg_temp.rpc(:'token', NULL), 'error: unknown_function', 'nor is null one');
SELECT is(pg_temp.rpc(:'token', 'create_agent', arguments::jsonb), 'error: bad_argument', 'not taken: ' || arguments)
FROM unnest(ARRAY['{}', '[]', '"x"', '{"agent_id": "x", "agent": 1}', '{"agent_id": "x", "agent_id\"": 1}',
                  '{"AGENT_ID": "x"}', '{"agent_id": "x", "direction": "sideways"}', '{"agent_id": ""}']) AS arguments;
SELECT is(vrm.rpc(:'token', 'delete_agent', '{}') #>> '{error,detail}', 'It has agent_id uuid.',
          'and what is taken is told');
SELECT is(pg_temp.rpc(:'token', 'delete_agent', '{"agent_id": "x''); DROP TABLE vrm.agents; --"}'),
          'error: bad_argument', 'an argument is a value, whatever is in it');
SELECT is(pg_temp.rpc(:'token', name), 'error: not_allowed', 'no business of a user: ' || name)
FROM unnest(ARRAY['expire_test_runs', 'take_reset_mail', 'install', 'rotate_token_key']) AS name;

CREATE FUNCTION vrm.spy(statement integer) RETURNS text LANGUAGE sql AS $$ SELECT 'number' $$;
CREATE FUNCTION vrm.spy(other text, more text DEFAULT '') RETURNS text LANGUAGE sql AS $$ SELECT 'other' $$;
CREATE FUNCTION vrm.spy(VARIADIC list text[]) RETURNS text LANGUAGE sql AS $$ SELECT 'list' $$;
GRANT EXECUTE ON FUNCTION vrm.spy(integer), vrm.spy(text, text), vrm.spy(text[]) TO authenticated;
SELECT is(pg_temp.rpc(:'token', 'spy', arguments::jsonb), found, 'of several functions: ' || arguments)
FROM (VALUES ('{"other": "x"}', 'other'), ('{"statement": 1}', 'error: bad_argument'),
             ('{"list": ["x"]}', 'error: bad_argument'), ('{"other": "x", "statement": 1}', 'error: bad_argument'))
             AS called (arguments, found);
SELECT is(vrm.rpc(:'token', 'spy', '{"statement": 1}') #>> '{error,message}',
          'several functions "spy" have such arguments', 'none is chosen by chance');
DROP FUNCTION vrm.spy(integer), vrm.spy(text, text), vrm.spy(text[]);

-- reasons ----------------------------------------------------------------------------------------

SELECT is(pg_temp.rpc(NULL, 'create_agent', '{"agent_id": "x"}'), 'error: not_signed_in', 'nobody makes no agents');
SELECT is(pg_temp.rpc('made.up.token', 'uid'), 'error: token_rejected', 'nobody believes a token that is made up');
SELECT is(pg_temp.rpc('', 'uid'), 'error: token_rejected', 'or empty');
SELECT is(vrm.rpc('made.up.token', 'uid') -> 'error' ->> 'code', '28000', 'which is SQLSTATE 28000');
SELECT is(pg_temp.rpc(:'bobs_token', 'begin_test_run', jsonb_build_object('run_id', :'run')), 'error: not_found',
          'what is somebody else''s is not there');
SELECT is(vrm.rpc(:'bobs_token', 'begin_test_run', jsonb_build_object('run_id', :'run')),
          replace(vrm.rpc(:'bobs_token', 'begin_test_run', jsonb_build_object('run_id', :'bob'))::text,
                  :'bob', :'run')::jsonb,
          'in the very same words as what is nowhere');
SELECT is(pg_temp.rpc(:'token', 'begin_test_run', jsonb_build_object('run_id', :'run')), 'error: wrong_state',
          'a call that has ended does not begin');
SELECT is(pg_temp.rpc(:'token', 'create_agent', '{"agent_id": "reception"}'), 'error: already_exists',
          'names are taken once');
SAVEPOINT standing;
UPDATE vrm.user_profiles SET mfa_enabled = true WHERE id = :'alice';
SELECT is(pg_temp.rpc(:'token', 'create_agent', '{"agent_id": "x"}'), 'error: mfa_required',
          'a second factor is asked for');
UPDATE vrm.user_profiles SET deleted_at = now(), mfa_enabled = false WHERE id = :'alice';
SELECT is(pg_temp.rpc(:'token', 'create_agent', '{"agent_id": "x"}'), 'error: account_deleted',
          'who is deleted is told');
ROLLBACK TO SAVEPOINT standing;
SET LOCAL transaction_read_only = on;
SELECT is(pg_temp.rpc(:'token', 'uid') || pg_temp.rpc(:'token', 'create_agent', '{"agent_id": "x"}'),
          :'alice' || 'error: read_only', 'reading works where nothing can be written');
SELECT is(pg_temp.result(vrm.rpc(:'token', 'start_test_run', jsonb_build_object('agent_id', :'agent'), 'k0')),
          'error: read_only', 'with a key, too');
ROLLBACK TO SAVEPOINT standing;
CREATE FUNCTION pg_temp.cancelled(token text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN vrm.rpc(token, 'spy', jsonb_build_object('statement', 'SELECT vrm.stopped()'));
EXCEPTION WHEN query_canceled THEN
    RETURN SQLSTATE;
END
$$;
CREATE FUNCTION vrm.stopped() RETURNS void LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'stopped' USING ERRCODE = 'query_canceled'; END $$;
SELECT is(pg_temp.cancelled(:'token'), '57014', 'a cancelled call is cancelled, and no answer');

SELECT vrm.jwk_import(:'key_set', :'issuer') AS keys \gset
SELECT is(pg_temp.rpc(token, 'uid'), 'error: token_expired', 'a token that was good once is to be renewed: ' || name)
FROM refused WHERE reason = 'it has expired';
SELECT is(pg_temp.rpc(:'bobs_token', 'session_revoke_all', jsonb_build_object('user_id', :'bob')), '1',
          'who signs out');
SELECT is(pg_temp.rpc(:'bobs_token', 'uid'), 'error: session_ended', 'is told so');
CREATE OR REPLACE FUNCTION vrm.stopped() RETURNS void LANGUAGE sql AS '';
GRANT EXECUTE ON FUNCTION vrm.stopped() TO authenticated;
SELECT is(pg_temp.rpc(:'token', 'stopped'), NULL, 'a function that is new can be called');
REVOKE EXECUTE ON FUNCTION vrm.stopped() FROM PUBLIC, authenticated;
SELECT is(pg_temp.rpc(:'token', 'stopped'), 'error: not_allowed',
          'until EXECUTE is taken away, for plans that are there, too');
DROP FUNCTION vrm.stopped();
SELECT is(pg_temp.rpc(:'token', 'stopped'), 'error: unknown_function', 'and one that is gone is not there');

-- services ---------------------------------------------------------------------------------------

-- Tokens of an issuer whose secret is known: HMAC-SHA256 (RFC 2104), for which core PostgreSQL has no function.
CREATE FUNCTION pg_temp.masked(key bytea, mask integer) RETURNS bytea LANGUAGE sql AS $$
    SELECT decode(string_agg(lpad(to_hex(CASE WHEN i < length(key) THEN get_byte(key, i) ELSE 0 END # mask), 2, '0'), ''
                             ORDER BY i), 'hex')
    FROM generate_series(0, 63) AS i
$$;
CREATE FUNCTION pg_temp.base64url(value bytea) RETURNS text LANGUAGE sql AS
    $$ SELECT rtrim(translate(encode(value, 'base64'), E'+/\n', '-_'), '=') $$;
CREATE FUNCTION pg_temp.token(claims jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT signed || '.' || pg_temp.base64url(sha256(pg_temp.masked(key, 92)
                                || sha256(pg_temp.masked(key, 54) || convert_to(signed, 'UTF8'))))
    FROM (SELECT sha256('a secret that everybody knows') || sha256('and another half') AS key,
                 pg_temp.base64url('{"alg": "HS256", "kid": "known"}') || '.' || pg_temp.base64url(convert_to(
                     (claims || '{"iss": "https://known.example", "exp": 4102444800}')::text, 'UTF8')) AS signed) AS t
$$;
SELECT vrm.jwk_import(jsonb_build_object('keys', jsonb_build_array(jsonb_build_object(
           'kid', 'known', 'kty', 'oct', 'k', pg_temp.base64url(sha256('a secret that everybody knows')
                                                                || sha256('and another half'))))),
                      'https://known.example') AS keys \gset
SELECT pg_temp.token('{"role": "service_role"}') AS service \gset
SELECT is(vrm.rpc(pg_temp.token(claims), 'spy') #>> '{result,user}', role, claims::text || ' is ' || role)
FROM (VALUES ('{"role": "service_role"}'::jsonb, 'service_role'), ('{"role": "anon"}', 'anon'),
             ('{"role": "authenticated"}', 'authenticated'), ('{"role": "postgres"}', 'authenticated'),
             ('{"role": "vrm_reveal"}', 'authenticated'), ('{}', 'authenticated')) AS t (claims, role);
SELECT is(pg_temp.rpc(:'service', 'take_reset_mail'), '[]', 'a service does what services do');
SELECT is(pg_temp.rpc(:'service', 'create_agent', '{"agent_id": "x"}'), 'error: not_allowed', 'and not what users do');
SELECT is(pg_temp.rpc(:'service', 'store_api_key', jsonb_build_object('service', 'deepgram', 'key', 'dg-1',
                                                                      'description', NULL, 'user_id', :'alice')) <> '',
          true, 'it names the user that it does something for');
SELECT is(pg_temp.rpc(:'service', 'use_api_key', jsonb_build_object('service', 'deepgram', 'user_id', :'alice')),
          'dg-1', 'such as opening a key');
SELECT is(pg_temp.rpc(:'token', 'use_api_key', jsonb_build_object('service', 'deepgram', 'user_id', :'alice')),
          'error: not_allowed', 'which the user cannot');
SET LOCAL SESSION AUTHORIZATION vrm_application;
SELECT vrm.rpc(:'service', 'spy') #>> '{error,code}' AS refused \gset
SET LOCAL SESSION AUTHORIZATION DEFAULT;
SELECT is(:'refused'::text, '42501', 'an application that is no service cannot be made one by a token');

-- several calls ----------------------------------------------------------------------------------

SELECT is(vrm.rpc_batch(:'token', '[{"function": "create_agent", "arguments": {"agent_id": "one"}},
                     {"function": "spy", "arguments": {"statement": "SELECT count(*) FROM vrm.agents"}}]')
          #>> '{result,1,found}', '2', 'each call of a batch sees what those before it did');
SELECT is(vrm.rpc_batch(:'token', '[{"function": "create_agent", "arguments": {"agent_id": "two"}},
                     {"function": "delete_agent", "arguments": {"agent_id": "x"}}]') #- '{error,message}' -> 'error',
          '{"code": "22P02", "call": 1, "hint": null, "detail": null, "reason": "bad_argument"}',
          'one that fails is told');
SELECT is((SELECT count(*) FROM vrm.agents WHERE agent_id = 'two'), 0::bigint, 'and undoes those before it');
SELECT is(vrm.rpc_batch(:'token', '[]'), '{"result": []}', 'no calls give no results');
SELECT is(pg_temp.result(vrm.rpc_batch(:'token', calls::jsonb)), 'error: bad_argument', 'no batch: ' || left(calls, 40))
FROM unnest(ARRAY['{}', '[1]', '[{}]', '[{"function": 1}]', '[{"function": "uid", "args": {}}]',
                  (SELECT jsonb_agg('{"function": "uid"}'::jsonb)::text FROM generate_series(1, 1001)), NULL]) AS calls;
SELECT is(jsonb_array_length(vrm.rpc_batch(:'token', (SELECT jsonb_agg('{"function": "uid"}'::jsonb)
                                                      FROM generate_series(1, 1000))) -> 'result'), 1000,
          'a thousand calls are a batch');
SELECT is(pg_temp.result(vrm.rpc_batch(NULL, '[{"function": "uid"}]')), '[null]', 'nobody sends batches, too');

SELECT is(jsonb_typeof(vrm.rpc(:'token', 'call_statistics') #> '{result,calls}'), 'number',
          'statistics are a document');

-- keys -------------------------------------------------------------------------------------------

SELECT vrm.rpc(:'token', 'create_agent', '{"agent_id": "once"}', 'k1') AS once \gset
SELECT is(vrm.rpc(:'token', 'create_agent', '{"agent_id": "once"}', 'k1'), :'once',
          'the same key gives the same answer');
SELECT is((SELECT count(*) FROM vrm.agents WHERE agent_id = 'once'), 1::bigint, 'of a call that happened once');
SELECT is(pg_temp.result(vrm.rpc(:'token', 'create_agent', '{"agent_id": "twice"}', 'k1')), 'error: bad_argument',
          'a key does not stand for other arguments');
SELECT is(pg_temp.result(vrm.rpc(:'token', 'delete_agent', jsonb_build_object('agent_id', :'agent'), 'k1')),
          'error: bad_argument', 'nor for another function');
SELECT vrm.rpc(:'token', 'start_test_run', jsonb_build_object('agent_id', :'agent')) ->> 'result' AS twice \gset
SELECT is(vrm.rpc(:'token', 'cancel_test_run', jsonb_build_object('run_id', :'twice'), 'k0'), '{"result": null}',
          'one function');
SELECT is(pg_temp.result(vrm.rpc(:'token', 'delete_test_run', jsonb_build_object('run_id', :'twice'), 'k0')),
          'error: bad_argument', 'nor for another with the same arguments');
DELETE FROM vrm_private.retry_keys WHERE key = 'k0';
SELECT is(vrm.rpc(:'token', 'invite', '{"email": "x@example.org", "role": "viewer"}', 'k0') #>> '{error,message}',
          'function "invite" takes no key', 'a token that a call gives is not kept');
SELECT is(pg_temp.result(vrm.rpc(:'token', 'create_agent', '{"agent_id": "once"}', 'k2')), 'error: already_exists',
          'another key is another call');
SELECT is((SELECT count(*) FROM vrm_private.retry_keys WHERE key = 'k2'), 0::bigint,
          'and a call that failed may be tried again');
SELECT is(vrm.rpc(:'token', 'start_test_run', jsonb_build_object('agent_id', :'agent'), 'k3'),
          vrm.rpc(:'token', 'start_test_run', jsonb_build_object('agent_id', :'agent'), 'k3'), 'calls start once');
SELECT vrm.rpc(:'token', 'start_test_run', jsonb_build_object('agent_id', :'agent'), 'k3') ->> 'result' AS live \gset
SELECT vrm.rpc(:'token', 'begin_test_run', jsonb_build_object('run_id', :'live')) \g /dev/null
SELECT is(vrm.rpc_batch(:'token', jsonb_build_array(turn, turn)), '{"result": [null, null]}',
          'a batch has keys of its calls')
FROM jsonb_build_object('function', 'append_transcript', 'key', 'k4', 'arguments',
                        jsonb_build_object('run_id', :'live', 'speaker', 'Agent', 'message', 'Hello')) AS turn;
SELECT is((SELECT count(*) FROM vrm.transcript_turns WHERE run_id = :'live'), 1::bigint, 'a turn is said once');
SELECT (vrm.sign_in(:'bobs_mail', 'battery staple')).access_token AS bobs_token \gset
SELECT isnt(vrm.rpc(:'bobs_token', 'create_agent', '{"agent_id": "once"}', 'k1'), :'once', 'keys are each user''s own');
SELECT is(pg_temp.result(vrm.rpc(:'token', name, arguments::jsonb, key)), 'error: bad_argument', reason)
FROM (VALUES ('call_history', '{}', 'k5', 'what reads takes no key'),
             ('mfa_recovery_codes', '{"code": "1"}', 'k5', 'nor what gives secrets'),
             ('store_api_key', '{"service": "x", "key": "y"}', 'k5', 'or takes some'),
             ('create_agent', '{"agent_id": "x"}', '', 'a key is not empty'),
             ('create_agent', '{"agent_id": "x"}', repeat('k', 201), 'or long')) AS bad (name, arguments, key, reason);
SELECT is(pg_temp.result(vrm.rpc(NULL, 'request_password_reset', '{"email": "a@example.org"}', 'k1')),
          'error: not_signed_in', 'and nobody has one');
UPDATE vrm_private.retry_keys SET made_at = now() - interval '25 hours' WHERE key = 'k1' AND user_id = :'alice';
SELECT is(pg_temp.result(vrm.rpc(:'token', 'create_agent', '{"agent_id": "once"}', 'k1')), 'error: already_exists',
          'a key is over after a day');
SELECT is(pg_temp.rpc(:'token', 'spy', '{"statement": "SELECT 1 FROM vrm_private.retry_keys"}'), 'error: not_allowed',
          'nobody reads the keys');
SELECT is(vrm_private.forget_retry_keys(), 1::bigint, 'maintenance forgets keys that are over');
SELECT is((SELECT count(*) FROM vrm_private.retry_keys), 3::bigint, 'and no others');

-- organisations ----------------------------------------------------------------------------------

SELECT pg_temp.rpc(:'token', 'create_organisation', '{"name": "Acme"}') AS acme \gset
SELECT jsonb_build_object('function', 'act_as', 'arguments', jsonb_build_object('organisation', :'acme')) AS acting,
       '{"function": "create_agent", "arguments": {"agent_id": "once more"}, "key": "k9"}'::jsonb AS made \gset
SELECT vrm.rpc_batch(:'token', jsonb_build_array(:'made'::jsonb)) #>> '{result,0}' AS own,
       vrm.rpc_batch(:'token', jsonb_build_array(:'acting'::jsonb, :'made'::jsonb)) #>> '{result,1}' AS of_acme \gset
SELECT is((SELECT user_id::text FROM vrm.agents WHERE id = :'of_acme'), :'acme', 'a batch may act for an organisation');
SELECT isnt(:'own'::text, :'of_acme'::text, 'whose keys are others than the person''s');
SELECT is(vrm.rpc_batch(:'token', jsonb_build_array(:'acting'::jsonb, :'made'::jsonb)) #>> '{result,1}',
          :'of_acme'::text,
          'and stand for the organisation''s call when it comes again');
INSERT INTO vrm_private.team_members (user_id, member_id, role) VALUES (:'acme', :'bob', 'member');
SELECT is(vrm.rpc_batch(:'bobs_token', jsonb_build_array(:'acting'::jsonb, :'made'::jsonb)) #>> '{error,reason}',
          'already_exists', 'the same key of another member is a call of its own');
SELECT jsonb_build_object('function', 'start_test_run', 'key', 'k10', 'arguments',
                          jsonb_build_object('agent_id', :'of_acme')) AS start \gset
SELECT vrm.rpc_batch(:'token', jsonb_build_array(:'acting'::jsonb, :'start'::jsonb)) #>> '{result,1}' AS alices,
       vrm.rpc_batch(:'bobs_token', jsonb_build_array(:'acting'::jsonb, :'start'::jsonb)) #>> '{result,1}' AS bobs \gset
SELECT isnt(:'alices'::text, :'bobs'::text, 'two members make two calls with one key and the same arguments');
SELECT is(ARRAY[vrm.rpc_batch(:'token', jsonb_build_array(:'acting'::jsonb, :'start'::jsonb)) #>> '{result,1}',
                vrm.rpc_batch(:'bobs_token', jsonb_build_array(:'acting'::jsonb, :'start'::jsonb)) #>> '{result,1}'],
          ARRAY[:'alices', :'bobs']::text[], 'and each gets the own answer again');
SELECT is(pg_temp.rpc(:'token', 'uid'), :'alice', 'and the next call is the person''s again');
SELECT vrm.login(:'token') \g /dev/null
SELECT vrm.act_as(:'acme') \g /dev/null
SELECT is(pg_temp.rpc(:'token', 'uid') || vrm.uid(), :'alice' || :'acme', 'whatever the transaction acts for');
SELECT vrm.logout() \g /dev/null

-- secrets ----------------------------------------------------------------------------------------

SELECT matches(pg_temp.rpc(:'token', 'store_api_key', '{"service": "openai", "key": "sk-live-0123456789abcdef"}'),
               '^[0-9a-f-]{36}$', 'a secret is a text here');
SELECT is(pg_temp.rpc(:'token', 'list_api_keys')::jsonb #>> '{1,hint}', '…cdef', 'and arrives');
SELECT unalike(vrm.rpc(:'token', 'store_api_key', '{"service": "openai", "key": "sk-live-0123456789abcdef"}')::text,
               '%0123456789%', 'no error repeats it');
SELECT unalike(vrm.rpc(:'token', 'store_api_key', '{"service": "x", "key": {"a": "sk-live-0123"}, "more": 1}')::text,
               '%0123%', 'nor one about arguments');
SELECT is(pg_temp.rpc(:'token', 'use_api_key', '{"service": "openai"}'), 'error: not_allowed', 'nobody reads it back');
SET LOCAL vrm.secret_literals = error;
SELECT is(vrm.rpc(NULL, 'sign_in', '{"email": "a@example.org", "password": "correct horse"}') #>> '{error,message}',
          'the text of the statement contains a secret', 'a literal secret is found within JSON, too');

SELECT * FROM finish();
ROLLBACK;
