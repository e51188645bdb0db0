-- For tools/api_errors.pl: people and rows in a database with vrm_api, and attempts at every function of it with
-- arguments of which one is bad.  Prints what was refused: function, SQLSTATE, message, who asked.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET vrm.secret_literals = allow;
SET vrm.master_key_command = 'echo errors:c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlISE=';
SELECT set_config('vrm.trusted_logins', session_user, false), vrm.key_create('data'), vrm.make_api() \g /dev/null

-- --- given: what arguments may name ------------------------------------------------------------------------

-- Names are those of arguments of vrm_api; the one that is empty is a value that will do.
CREATE TABLE value (argument text, called text, value text, PRIMARY KEY (argument, called));
CREATE FUNCTION keep(argument text, called text, value text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO value VALUES (argument, called, value) ON CONFLICT DO NOTHING
$$;

CREATE FUNCTION person(name text) RETURNS uuid LANGUAGE sql AS $$
    INSERT INTO auth.users (email) VALUES (name || '@example.org') RETURNING id
$$;
CREATE FUNCTION become(person text, role text DEFAULT 'authenticated', act_as text DEFAULT NULL) RETURNS void
    LANGUAGE sql AS $$
    SELECT set_config('role', 'none', true), set_config('request.jwt.claims', CASE WHEN person IS NULL AND role <> 'service_role' THEN '' ELSE jsonb_strip_nulls(
               jsonb_build_object('sub', person, 'role', role, 'act_as', act_as))::text END, true),
           set_config('vrm.acting', '', true), set_config('role', role, true)
$$;

BEGIN;
SELECT vrm.sign_up(name || '@example.org', 'correct horse battery') FROM unnest('{ann,zoe}'::text[]) AS name \g /dev/null
UPDATE auth.users SET email_confirmed_at = now();
SELECT id AS ann, person('bob') AS bob, person('eve') AS eve, person('joe') AS joe
FROM auth.users WHERE email = 'ann@example.org' \gset
SELECT session_id AS session FROM vrm.sign_in('ann@example.org', 'correct horse battery') \gset
SELECT become(:'ann') \g /dev/null
SELECT vrm.create_organisation('Acme') AS acme \gset
SELECT vrm.create_agent('reception') AS agent \gset
INSERT INTO vrm.metrics (name, prompt) VALUES ('tone', 'Kind?') RETURNING id AS metric \gset
SELECT id AS test_case FROM vrm.test_cases LIMIT 1 \gset
INSERT INTO vrm.suites (name, case_ids) VALUES ('all', ARRAY[:'test_case'::uuid]) RETURNING id AS suite \gset
SELECT vrm.start_suite(ARRAY[:'test_case'::uuid], :'agent') AS suite_run \gset
SELECT vrm.start_test_run(:'agent') AS queued, vrm.start_test_run(:'agent') AS running,
       vrm.start_test_run(:'agent') AS completed, vrm.start_test_run(:'agent') AS cancelled,
       vrm.start_test_run(:'agent') AS failed \gset
SELECT vrm.begin_test_run(:'running'), vrm.begin_test_run(:'completed'), vrm.begin_test_run(:'failed') \g /dev/null
SELECT vrm.complete_test_run(:'completed'), vrm.cancel_test_run(:'cancelled'), vrm.fail_test_run(:'failed', 'no answer') \g /dev/null
SELECT vrm.amend_test_run(:'completed', '{"externalId": "taken"}') \g /dev/null
SELECT vrm.register_recording(:'completed', 'calls/1.ogg', 1000, decode(repeat('0', 64), 'hex')) AS recording \gset
SELECT vrm.store_api_key('openai', 'sk-live-0123456789abcdef') \g /dev/null
SELECT become(:'bob') \g /dev/null
SELECT vrm.create_agent('sales') AS other_agent \gset
SELECT vrm.start_test_run(:'other_agent') AS other_run \gset
SELECT id AS other_case FROM vrm.test_cases LIMIT 1 \gset
INSERT INTO vrm.metrics (name, prompt) VALUES ('tone', 'Kind?') RETURNING id AS other_metric \gset
INSERT INTO vrm.suites (name, case_ids) VALUES ('all', ARRAY[:'other_case'::uuid]) RETURNING id AS other_suite \gset
SELECT vrm.start_suite(ARRAY[:'other_case'::uuid], :'other_agent') AS other_suite_run \gset
SELECT become(:'ann', act_as => :'acme') \g /dev/null
SELECT vrm.invite('joe@example.org', 'member') AS invitation \gset
RESET ROLE;
INSERT INTO vrm_private.team_members (user_id, member_id, role) VALUES (:'acme', :'eve', 'viewer');
INSERT INTO value
SELECT a, c, v FROM (VALUES
    ('person', 'ann', :'ann'), ('person', 'bob', :'bob'), ('person', 'eve', :'eve'), ('person', 'acme', :'acme'),
    ('agent_id', '', :'agent'), ('agent_id', 'somebody else''s', :'other_agent'),
    ('run_id', '', :'running'), ('run_id', 'queued', :'queued'), ('run_id', 'completed', :'completed'),
    ('run_id', 'cancelled', :'cancelled'), ('run_id', 'failed', :'failed'), ('run_id', 'somebody else''s', :'other_run'),
    ('case_id', '', :'test_case'), ('case_id', 'somebody else''s', :'other_case'),
    ('metric_id', '', :'metric'), ('metric_id', 'somebody else''s', :'other_metric'),
    ('suite', '', :'suite'), ('suite', 'somebody else''s', :'other_suite'),
    ('suite_run', '', :'suite_run'), ('suite_run', 'somebody else''s', :'other_suite_run'),
    ('recording_id', '', :'recording'), ('organisation', '', :'acme'), ('organisation', 'somebody''s', :'bob'),
    ('user_id', '', :'ann'), ('user_id', 'somebody else', :'bob'), ('member', '', :'eve'), ('member', 'oneself', :'ann'),
    ('session_id', '', :'session'), ('token', '', :'invitation')) AS g (a, c, v);
COMMIT;

-- --- arguments -----------------------------------------------------------------------------------------------

-- Values that will do where an argument of this name has no default, by name alone or with the type.
INSERT INTO value
SELECT a, '', v FROM (VALUES ('agents', '{}'), ('a', '1'), ('b', '1'), ('action', 'transfer'), ('speaker', 'Agent'), ('message', 'Hello'),
    ('error', 'no answer'), ('name', 'user_dashboard'), ('email', 'new@example.org'), ('new_email', 'new@example.org'),
    ('password', 'correct horse battery'), ('old_password', 'correct horse battery'), ('new_password', 'another horse battery'),
    ('code', '123456'), ('role', 'member'), ('service', 'openai'), ('key', 'sk-live-fedcba9876543210'), ('class', 'application'), ('level', 'info'),
    ('issuer', 'https://id.example.org'), ('subject', '4711'), ('identifier', 'ann@example.org'), ('reason', 'asked for it'),
    ('object_key', 'calls/2.ogg'), ('runner', 'runner 1'), ('judge', 'gpt'), ('passed', 'true'), ('score', '1'), ('source', 'vrm'),
    ('payload', '{}'), ('turns', '[]'), ('customer', '+15550100'), ('config', 'english'), ('bucket', '3600'), ('time_zone', 'UTC'),
    ('hit', 'true'), ('version', '1'), ('refresh_token', 'x'), ('mfa_ticket', 'x'), ('lsn', '0/0'), ('arguments', '{}'),
    ('filter', '{}'), ('results', '{}'), ('since', '2026-01-01'), ('until', '2026-02-01'), ('edges', '{2026-01-01,2026-02-01}'),
    ('lease', '60'), ('k', '1'), ('bytes', '1000'), ('sha256', repeat('0', 64)), ('most', '10'), ('label', 'phone'), ('together', 'false'), ('scenario', 'x')) AS g (a, v);
INSERT INTO value SELECT 'cases', '', '{' || value || '}' FROM value WHERE argument = 'case_id' AND called = '';
INSERT INTO value SELECT 'cases', 'somebody else''s', '{' || value || '}' FROM value WHERE argument = 'case_id' AND called <> '';

-- What is bad of a type, and of some names.
CREATE TABLE bad (type text, argument text, value text);
INSERT INTO bad (type, value) VALUES
    ('uuid', '018f0000-0000-7000-8000-000000000000'), ('uuid[]', '{018f0000-0000-7000-8000-000000000000}'), ('uuid[]', '{NULL}'),
    ('uuid[]', '{}'), ('uuid[]', '{{018f0000-0000-7000-8000-000000000000}}'), ('text', ''), ('text', ' '), ('text', E'a\nb\x07'), ('text', 'nonsense'), ('text', repeat('x', 1000001)),
    ('integer', '-1'), ('integer', '0'), ('integer', '2147483647'), ('bigint', '-1'), ('bigint', '9223372036854775807'), ('double precision', '-1'),
    ('double precision', 'NaN'), ('double precision', 'Infinity'), ('double precision', '1e300'), ('double precision', '0'),
    ('jsonb', '[]'), ('jsonb', '5'), ('jsonb', '{"nonsense": 1}'), ('jsonb', '[5]'), ('jsonb', '[{}]'), ('jsonb', 'null'),
    ('timestamp with time zone', 'infinity'), ('timestamp with time zone', '-infinity'),
    ('timestamp with time zone', '1900-01-01'), ('timestamp with time zone[]', '{}'), ('timestamp with time zone[]', '{NULL}'),
    ('timestamp with time zone[]', '{2026-02-01,2026-01-01}'), ('timestamp with time zone[]', '{{2026-02-01,2026-01-01}}');
-- A literal of the value that an argument has, which may be called something.
CREATE FUNCTION good(function text, argument text, type text) RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN type = 'uuid' AND argument IN ('a', 'b') THEN (SELECT v.value FROM value v WHERE v.argument = 'suite_run' AND v.called = '')
                WHEN function = 'act_as' THEN (SELECT v.value FROM value v WHERE v.argument = 'person' AND v.called = 'acme')
                WHEN type = 'uuid[]' AND argument = 'agents' THEN '{}'
                ELSE (SELECT v.value FROM value v WHERE v.argument = good.argument AND v.called = '') END
$$;

CREATE TABLE parameter AS
SELECT p.oid, p.proname::text AS function, a.name, format_type(a.type, NULL) AS type, a.place,
       a.place > p.pronargs - p.pronargdefaults AS is_optional
FROM pg_proc p, unnest(p.proargtypes::oid[], p.proargnames[:p.pronargs]) WITH ORDINALITY AS a (type, name, place)
WHERE p.pronamespace = 'vrm_api'::regnamespace AND a.name IS NOT NULL;

-- What errors say, without what was given.
CREATE FUNCTION without_values(message text) RETURNS text LANGUAGE sql AS $$
    SELECT regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(message,
               '^new row for relation "\w+" violates check constraint "(\w+)"$', 'check constraint \1'),
               '"[^"]*("|$)', '"…"', 'g'), 'version (-?\d+|%)', 'version …'), '%', '…', 'g'), '(hexadecimal digit: ).*|(invalid symbol ).*', '\1\2…')
$$;

CREATE TABLE refused (function text, state text, message text, who text);
CREATE FUNCTION try(function text, who text, given jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    person CONSTANT text := (SELECT v.value FROM value v WHERE v.argument = 'person' AND v.called = split_part(who, ' for ', 1));
    organisation CONSTANT text := (SELECT v.value FROM value v
                                   WHERE v.argument = 'person' AND v.called = split_part(who, ' for ', 2));
    role CONSTANT text := CASE who WHEN 'anon' THEN who WHEN 'a service' THEN 'service_role' ELSE 'authenticated' END;
    call CONSTANT text := (SELECT format('SELECT * FROM vrm_api.%I(%s)', function,
                                         string_agg(format('%I => %L', g.key, g.value), ', '))
                           FROM jsonb_each_text(given) AS g);
    said text;
BEGIN
    PERFORM become(person, role, organisation);
    EXECUTE call;
    SET CONSTRAINTS ALL IMMEDIATE;
    RAISE SQLSTATE '00XXX';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS said = MESSAGE_TEXT;
    IF SQLSTATE <> '00XXX' THEN
        INSERT INTO refused VALUES (function, SQLSTATE, without_values(said), who);
    END IF;
END
$$;

-- Arguments that will do, from each who asks.
CREATE TABLE attempt AS
SELECT p.proname::text AS function,
       coalesce((SELECT jsonb_object_agg(a.name, good(a.function, a.name, a.type)) FROM parameter a
                 WHERE a.oid = p.oid AND NOT a.is_optional), '{}') AS given
FROM pg_proc p
WHERE p.pronamespace = 'vrm_api'::regnamespace AND (p.proargnames IS NOT NULL OR p.pronargs = 0);
SELECT try(a.function, w.who, a.given)
FROM attempt a, unnest('{ann,nobody,anon,eve for acme,bob,ann for acme}'::text[]) WITH ORDINALITY AS w (who, place)
ORDER BY a.function, w.place \g /dev/null

-- One of them bad, from who may call it.
SELECT try(a.function, w.who, f.given || jsonb_build_object(a.name, o.value))
FROM parameter a
JOIN attempt f ON f.function = a.function
CROSS JOIN LATERAL (SELECT NULL AS value UNION ALL SELECT b.value FROM bad b WHERE b.type = a.type
                    UNION ALL SELECT v.value FROM value v WHERE v.argument = a.name AND v.called <> '') AS o
CROSS JOIN LATERAL (SELECT 'ann' UNION ALL
                    SELECT CASE WHEN EXISTS (SELECT FROM refused r WHERE r.function = a.function AND r.who = 'ann' AND r.state = '42501')
                                THEN 'a service' ELSE 'ann for acme' END) AS w (who)
ORDER BY a.function, a.place, o.value, w.who \g /dev/null

-- Arguments that are bad together, or inside.
SELECT try(a.function, 'ann', a.given || s.given)
FROM attempt a
JOIN (VALUES ('append_transcript', '{"at": 5, "end_at": 4}'::jsonb), ('complete_test_run', '{"results": "{\"outcome\": \"nonsense\"}"}'),
             ('complete_test_run', '{"results": "{\"externalId\": \"taken\"}"}'),
             ('complete_test_run', jsonb_build_object('results', jsonb_build_object('transcript', (
                  SELECT jsonb_agg(jsonb_build_object('time', '0:01', 'speaker', 'Agent', 'message', repeat('x', 90000)))
                  FROM generate_series(1, 200)))::text))) AS s (function, given) USING (function) \g /dev/null

-- --- what functions raise by themselves, or through a function of their own, in whatever state ------------------

CREATE FUNCTION code_of(condition text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('DO $do$ BEGIN RAISE %s; END $do$', condition);
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END
$$;
INSERT INTO refused
WITH api AS (SELECT vrm_private.api_name(f.proname) AS name, f.prosrc FROM vrm_private.api_functions() AS f),
source AS (SELECT a.name, a.prosrc FROM api a
           UNION SELECT a.name, p.prosrc FROM api a JOIN pg_proc p ON p.pronamespace = 'vrm_private'::regnamespace
                 AND p.prorettype <> 'trigger'::regtype AND a.prosrc ~ format('vrm_private\.%s\(', p.proname))
SELECT DISTINCT s.name, code_of(m[2]), without_values(replace(m[1], '''''', '''')), 'source'
FROM source s, regexp_matches(s.prosrc, $re$RAISE EXCEPTION '((?:[^']|'')*)'[^;]*?ERRCODE = '([a-z_]+)'$re$, 'g') AS m;

-- --- the table ------------------------------------------------------------------------------------------------

CREATE FUNCTION vrm.raise_state(state text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION USING ERRCODE = state; END $$;
GRANT EXECUTE ON FUNCTION vrm.raise_state(text) TO authenticated;
-- What was seen says it better.
DELETE FROM refused s
WHERE s.who = 'source' AND EXISTS (SELECT FROM refused r WHERE r.function = s.function AND r.state = s.state AND r.who <> 'source'
                                   AND r.message LIKE replace(s.message, '…', '%'));
SELECT access_token AS access FROM vrm.sign_in('zoe@example.org', 'correct horse battery') \gset
SELECT 'error', r.function, r.state, vrm.rpc(:'access', 'raise_state', jsonb_build_object('state', r.state)) #>> '{error,reason}',
       string_agg(DISTINCT CASE r.message WHEN '…' THEN 'the account may not act' ELSE r.message END, '; ')
FROM refused r
WHERE r.who <> 'anon' AND r.state <> '28000'
GROUP BY r.function, r.state
ORDER BY r.function, r.state;
SELECT 'function', a.function, NOT EXISTS (SELECT FROM refused r WHERE r.function = a.function AND r.who = 'anon' AND r.state = '42501')
FROM attempt a ORDER BY 2;
