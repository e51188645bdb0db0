-- Schema vrm_api: plain types, the rights of schema vrm and no more, and errors as HTTP has them.
BEGIN;
SELECT plan(62);
\ir ../include/people.sql
\ir ../include/secrets.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob \gset
SELECT is(to_regnamespace('vrm_api')::text, NULL, 'nobody has it who has not asked for it');
SELECT cmp_ok(vrm.make_api(), '>=', 70::bigint, 'it is made');
SELECT is(vrm.make_api(), (SELECT count(*) FROM pg_proc WHERE pronamespace = 'vrm_api'::regnamespace), 'and made anew');

-- what generators of code see ---------------------------------------------------------------------

CREATE TEMP VIEW api_type AS
    SELECT p.proname AS name, unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]) || p.prorettype) AS type
    FROM pg_proc p WHERE p.pronamespace = 'vrm_api'::regnamespace
    UNION ALL
    SELECT c.relname, a.atttypid FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    WHERE c.relnamespace = 'vrm_api'::regnamespace;
SELECT is_empty($$SELECT name, type::regtype FROM api_type JOIN pg_type t ON t.oid = type
                  WHERE (t.typnamespace NOT IN ('pg_catalog'::regnamespace, 'vrm_api'::regnamespace)
                         AND t.typtype <> 'e')
                     OR type IN ('interval'::regtype, 'bytea'::regtype, 'inet'::regtype, 'xml'::regtype)$$,
                'types are PostgreSQL''s own and plain, or enumerations');
SELECT is_empty($$SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'vrm_api'::regnamespace
                  AND (p.proname ~ '^(create|update|delete)_' OR p.proname = 'log')$$,
                'no function is called as what is made of tables');
SELECT is_empty($$SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'vrm_api'::regnamespace GROUP BY 1
                  HAVING count(*) > 1
                  UNION ALL SELECT p.proname FROM pg_proc p JOIN pg_class c ON c.relname = p.proname
                  WHERE p.pronamespace = 'vrm_api'::regnamespace AND c.relnamespace = p.pronamespace
                    AND p.prorettype <> c.reltype$$,
                'and each has a name of its own, but what a call embeds has the name of its rows');
SELECT is(pg_get_function_identity_arguments('vrm_api.sign_in'::regproc),
          'email text, password text, totp text, client_ip text, user_agent text, device_token text',
          'parameters such as those of vrm_api.sign_in() are texts');
SELECT is((SELECT string_agg(a.attname || ' ' || a.atttypid::regtype, ', ' ORDER BY a.attnum)
           FROM pg_attribute a WHERE a.attrelid = 'vrm_api.sign_in_result'::regclass),
          'status vrm.sign_in_status, user_id uuid, session_id uuid, access_token text, refresh_token text, '
          'device_token text, mfa_ticket text, retry_after double precision', 'what comes back has a type with a name');
SELECT is((SELECT string_agg(a.attname || ' ' || a.atttypid::regtype, ', ') FROM pg_attribute a
           WHERE a.attrelid = 'vrm_api.run_events'::regclass AND a.attname IN ('status', 'xid')),
          'status vrm_api.run_status, xid text', 'a domain of words is an enumeration, which generators know');
SELECT is_empty($$SELECT oid::regproc FROM pg_proc WHERE pronamespace = 'vrm_api'::regnamespace
                  AND (obj_description(oid, 'pg_proc') IS NULL OR prosecdef)$$, 'each says what it does, as who calls');

-- rights -------------------------------------------------------------------------------------------

SELECT is_empty($$SELECT p.oid::regproc, role FROM vrm_private.api_functions() f
                  JOIN pg_proc p ON p.pronamespace = 'vrm_api'::regnamespace
                                AND p.proname = vrm_private.api_name(f.proname),
                       unnest(ARRAY['anon', 'authenticated', 'service_role', 'public']) AS role
                  WHERE has_function_privilege(role, p.oid, 'EXECUTE')
                        <> (role <> 'public' AND has_function_privilege(role, f.oid, 'EXECUTE'))$$,
                'roles may call what they may call in vrm');
SELECT is_empty($$SELECT c.relname, verb FROM pg_class c, unnest(ARRAY['INSERT', 'UPDATE', 'SELECT']) AS verb
                  WHERE c.relnamespace = 'vrm_api'::regnamespace
                    AND has_any_column_privilege('authenticated', c.oid, verb)
                    AND NOT has_any_column_privilege('authenticated', format('vrm.%I', c.relname)::regclass, verb)$$,
                'and read and write what they read and write there');
SELECT is_empty($$SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'vrm_api'::regnamespace
                  AND (has_any_column_privilege('anon', c.oid, 'SELECT, INSERT, UPDATE')
                       OR NOT 'security_invoker=true' = ANY (c.reloptions))$$,
                'anon reads no views, and views read as who asks');
SELECT is(has_schema_privilege(role, 'vrm_api', 'CREATE'), false, role || ' makes nothing there')
FROM unnest(ARRAY['anon', 'authenticated', 'service_role', 'public']) AS role;

-- calls --------------------------------------------------------------------------------------------

SELECT pg_temp.as_user(:'alice', $$SELECT vrm_api.add_agent('reception', direction => 'inbound')$$) AS agent \gset
SELECT is((SELECT direction::text FROM vrm.agents WHERE id = :'agent' AND user_id = :'alice'), 'inbound',
          'an enumeration is a text');
SELECT pg_temp.as_user(:'alice', format('SELECT vrm_api.start_test_run(%L, test_case_ids => ARRAY(SELECT id FROM'
                                                ' vrm_api.test_cases WHERE name ~ ''friendly''))',
                                                :'agent')) AS run \gset
SELECT pg_temp.as_user(:'alice', format('SELECT vrm_api.begin_test_run(%L)', :'run')) AS begun \gset
SELECT pg_temp.as_user(:'alice', format($$SELECT vrm_api.append_transcript(%L, 'Agent', 'Hello', 2.5)$$,
                                         :'run')) AS said \gset
SELECT is((SELECT at FROM vrm.transcript_turns WHERE run_id = :'run'), '2.5 seconds'::interval,
          'a duration is seconds');
SELECT is(pg_temp.as_user(:'alice', 'SELECT at FROM vrm_api.transcript_turns'), '2.5', 'read as well');
SELECT is(pg_temp.as_user(:'alice', 'SELECT elapsed >= 0 FROM vrm_api.live_calls()'), 'true', 'of functions, too');
SELECT is(pg_temp.as_user(:'alice', 'SELECT calls FROM vrm_api.user_dashboard()'), '1', 'one row is one row');
SELECT is(pg_temp.as_user(:'alice', $$SELECT count(*) FROM vrm_api.agent_performance('-infinity', 'infinity')$$), '1',
          'many are many');
SELECT is(pg_temp.as_user(:'alice', 'SELECT jsonb_typeof(vrm_api.call_statistics())'), 'object',
          'statistics are a document');
SELECT is(pg_temp.as_user(:'alice', $$SELECT jsonb_typeof(stats)
                                      FROM vrm_api.statistics_by_agent('-infinity', 'infinity')$$), 'object',
          'in rows, too');
SELECT is(pg_temp.as_user(:'bob', 'SELECT count(*) FROM vrm_api.agents'), '0', 'others see nothing of it');
SELECT is(pg_temp.as_user(:'bob', format('SELECT vrm_api.remove_agent(%L)', :'agent')), 'P0002',
          'and do nothing to it');
SELECT is(pg_temp.as_user(:'alice', $$INSERT INTO vrm_api.agents (agent_id) VALUES ('by view') RETURNING agent_id$$),
          'by view', 'views take rows');
SELECT is(pg_temp.as_user(:'alice', $$INSERT INTO vrm_api.agents (agent_id) VALUES ('by view')
                                      ON CONFLICT (user_id, agent_id) DO UPDATE SET persona = 'calm'
                                      RETURNING persona$$), 'calm', 'and save them');
SELECT is(pg_temp.as_user(:'alice', format('INSERT INTO vrm_api.agents (user_id, agent_id)'
                                           ' VALUES (%L, ''x'')', :'bob')), '42501',
          'but none in the name of others');
SELECT is(pg_temp.as_user(NULL, 'SELECT count(*) FROM vrm_api.test_runs'), '28000', 'nobody is told so');
SELECT matches(pg_temp.as_user(:'alice', $$SELECT vrm_api.store_api_key('openai', 'sk-live-0123456789abcdef')$$),
               '^[0-9a-f-]{36}$', 'a secret is a text');
SELECT is(pg_temp.as_user(:'alice', 'SELECT hint FROM vrm_api.list_api_keys()'), '…cdef', 'that arrives');
SELECT is(pg_temp.as_anon($$SELECT status FROM vrm_api.sign_in('alice@example.org', 'wrong')$$), 'invalid',
          'who has no token signs in');

-- As PostgREST embeds: /test_runs?select=status,run_events(status)
SELECT is(pg_temp.as_user(:'alice', $$SELECT string_agg(e.status::text, ' ' ORDER BY e.id)
                                      FROM vrm_api.test_runs t CROSS JOIN LATERAL vrm_api.run_events(t) AS e$$),
          'running', 'calls embed their events');
SELECT is(pg_temp.as_user(:'alice', $$SELECT v.direction FROM vrm_api.test_runs t,
                                      LATERAL vrm_api.agent_versions(t) AS v$$), 'inbound', 'what the agent was');
SELECT is(pg_temp.as_user(:'alice', $$SELECT count(*) FROM vrm_api.test_runs t,
                                      LATERAL vrm_api.metric_results(t) AS j$$), '0', 'and what was said of them');
SELECT is(pg_temp.as_user(:'alice', $$SELECT c.name FROM vrm_api.test_runs t,
                                      LATERAL vrm_api.test_cases(t) AS c$$), 'reception: friendly caller', 'its cases');
SELECT is(pg_temp.as_role('service_role', NULL, format($$SELECT count(*) FROM vrm_api.test_runs t,
              LATERAL vrm_api.run_events(ROW(t.*)::vrm_api.test_runs) AS e WHERE t.user_id = %L$$, :'alice')), '1',
          'services, too');
SELECT is(pg_temp.as_user(:'bob', format($$SELECT count(*) FROM vrm_api.run_events(
              jsonb_populate_record(NULL::vrm_api.test_runs, '{"user_id": "%s", "id": "%s"}'))$$, :'alice', :'run')),
          '0',
          'a row that is made up shows nothing of others');

-- POST /test_runs, as PostgREST sends it and as programs do that name every column
SELECT pg_temp.as_user(:'alice', format($$INSERT INTO vrm_api.test_runs (agent_id, outbound_call_params)
                                          VALUES (%L, '{"to": "+1555", "note": null}') RETURNING id$$,
                                        :'agent')) AS posted \gset
SELECT is((SELECT ROW(t.user_id, t.status, t.time_limit, t.outbound_call_params)::text FROM vrm.test_runs t
           WHERE t.id = :'posted'), format('(%s,queued,60,"{""to"": ""+1555"", ""note"": null}")', :'alice'),
          'a call that is posted is queued, and has the table''s defaults');
SELECT is((SELECT count(*) FROM vrm.run_queue WHERE run_id = :'posted'), 1::bigint, 'it waits for a runner');
SELECT is(pg_temp.as_user(:'alice', format($$SELECT vrm_api.begin_test_run(%L)$$, :'posted')), '', 'and begins');
SELECT is(pg_temp.as_user(:'alice', format($$INSERT INTO vrm_api.test_runs (user_id, id, agent_id, time_limit, status,
              started_at, completed_at, results) VALUES (DEFAULT, DEFAULT, %L, 90, 'running', DEFAULT, DEFAULT, DEFAULT)
              RETURNING concat_ws(' ', status, time_limit, user_id, started_at = now())$$, :'agent')),
          'running 90 ' || :'alice' || ' t', 'columns may be named without a value, and the row comes back');
SELECT is(pg_temp.as_user(:'alice', format($$SELECT string_agg(e.status::text, ' ' ORDER BY e.id)
              FROM vrm_api.test_runs t CROSS JOIN LATERAL vrm_api.run_events(t) AS e WHERE t.id = %L$$, :'posted')),
          'queued running', 'each call embeds its own events alone');
SELECT is(pg_temp.as_user(:'alice', format('INSERT INTO vrm_api.test_runs (agent_id, %s) VALUES (%L, %L)', named,
                                           :'agent', given)), state, 'not posted: ' || named || ' ' || given)
FROM (VALUES ('id', '018f0000-0000-7000-8000-000000000001', '42501'), ('completed_at', 'now', '42501'),
             ('results', '{}', '42501'), ('status', 'completed', '22023'), ('status', 'cancelled', '22023'),
             ('user_id', :'bob', '42501'), ('time_limit', '0', '23514')) AS bad (named, given, state);
SELECT is(pg_temp.as_user(:'bob', format('INSERT INTO vrm_api.test_runs (agent_id) VALUES (%L)', :'agent')), '23503',
          'nor with an agent of somebody else''s');

-- HTTP ---------------------------------------------------------------------------------------------

-- The SQLSTATE that a client gets is not what SQL catches, so psql tells.
SET LOCAL vrm.http_errors = on;
\set ON_ERROR_STOP off
\set ON_ERROR_ROLLBACK on
\o /dev/null
\set QUIET on
\set VERBOSITY sqlstate
SELECT set_config('request.jwt.claims', jsonb_build_object('sub', :'alice', 'role', 'authenticated')::text, true);
SET LOCAL ROLE authenticated;
SELECT vrm_api.begin_test_run(vrm.uuid7());
\set missing :SQLSTATE
SELECT vrm_api.complete_test_run(:'run');
SELECT vrm_api.begin_test_run(:'run');
\set wrong_state :SQLSTATE
SELECT vrm_api.begin_test_run('x');
\set bad :SQLSTATE
SELECT * FROM vrm_private.sessions;
\set denied :SQLSTATE
SELECT set_config('request.jwt.claims', '', true);
SELECT * FROM vrm_api.agents;
\set nobody :SQLSTATE
RESET ROLE;
SET LOCAL vrm.http_errors = off;
SELECT vrm.delete_agent(vrm.uuid7());
\set otherwise :SQLSTATE
\o
\set ON_ERROR_STOP on
SELECT is(:'missing'::text, 'PT404', 'what is not there is 404');
SELECT is(:'wrong_state'::text, 'PT409', 'what cannot be now is 409');
SELECT is(:'bad'::text, '22P02', 'a bad argument stays what it is: PostgREST says 400');
SELECT is(:'denied'::text, '42501', 'so does a lack of rights');
SELECT is(:'nobody'::text, 'PT401', 'nobody is 401');
SELECT is(:'otherwise'::text, '28000', 'without the setting nothing is translated');

DROP FUNCTION vrm_api.add_agent(text, text, jsonb, text, text, text);
SELECT is(vrm.install() IS NOT NULL AND to_regproc('vrm_api.add_agent') IS NOT NULL, true,
          'installing again makes it whole');

-- others' ------------------------------------------------------------------------------------------

CREATE VIEW public.of_a_dba AS SELECT agent_id FROM vrm_api.agents;
SELECT throws_ok('SELECT vrm.make_api()', '2BP01', NULL, 'what a DBA has built on it is not dropped');
DROP VIEW public.of_a_dba;
COMMENT ON SCHEMA vrm_api IS 'mine';
SELECT throws_ok('SELECT vrm.make_api()', '55000', NULL, 'a schema of that name that is somebody else''s stays theirs');

SELECT * FROM finish();
ROLLBACK;
