-- Accounts that may not act: locked, deleted, without the second factor, or none at all.
BEGIN;
SET LOCAL client_min_messages = error;
-- Every table of people's data.
CREATE TEMP TABLE tenants AS
SELECT c.oid::regclass AS tenant, count(p.oid) AS policies
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'user_id'
LEFT JOIN pg_policy p ON p.polrelid = c.oid AND NOT p.polpermissive AND p.polcmd = '*'
    AND p.polroles = ARRAY['authenticated'::regrole::oid]
WHERE c.relnamespace IN ('vrm'::regnamespace, 'vrm_private'::regnamespace)
  AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND has_any_column_privilege('authenticated', c.oid, 'SELECT')
GROUP BY c.oid;
SELECT plan(47 + (SELECT count(*)::int FROM tenants));

\set alice '00000000-0000-7000-8000-0000000000aa'
\set bob '00000000-0000-7000-8000-0000000000bb'
INSERT INTO auth.users (id, email) VALUES (:'alice', 'alice@example.org'), (:'bob', 'bob@example.org');

CREATE FUNCTION pg_temp.become(who uuid, extra jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
    SELECT set_config('vrm.identity', (jsonb_build_object('sub', who, 'role', 'authenticated') || extra)::text, true),
           set_config('role', 'authenticated', true)
$$;

SELECT pg_temp.become(:'alice');
SELECT lives_ok($$SELECT vrm.create_agent('mine')$$, 'given an agent');
INSERT INTO vrm.metrics (name, prompt) VALUES ('m', 'p');
RESET ROLE;
SELECT pg_temp.become(:'bob');
SELECT vrm.create_agent('shared');
UPDATE vrm.test_cases SET is_shared = true;
RESET ROLE;

-- What alice sees and may do now.
CREATE FUNCTION pg_temp.attempt(extra jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    PERFORM pg_temp.become('00000000-0000-7000-8000-0000000000aa', extra);
    SELECT concat_ws(' ', coalesce(vrm.account_problem(), 'no problem') || ':',
                     (SELECT count(*) FROM vrm.agents), (SELECT count(*) FROM vrm.metrics),
                     (SELECT count(*) > 0 FROM vrm.test_cases), (SELECT count(*) FROM vrm.user_profiles))
    INTO answer;
    BEGIN
        INSERT INTO vrm.metrics (name, prompt) VALUES ('another', 'p');
        RAISE EXCEPTION USING ERRCODE = 'ZZ000';
    EXCEPTION
        WHEN insufficient_privilege THEN NULL;
        WHEN SQLSTATE 'ZZ000' THEN answer := answer || ' inserts';
    END;
    BEGIN
        UPDATE vrm.user_profiles SET full_name = 'A' WHERE id = vrm.uid();
        IF FOUND THEN
            answer := answer || ' renames';
        END IF;
        PERFORM vrm.create_agent('another');
        RAISE EXCEPTION USING ERRCODE = 'ZZ000';
    EXCEPTION
        WHEN insufficient_privilege THEN NULL;
        WHEN SQLSTATE 'ZZ000' THEN answer := answer || ' calls';
    END;
    RESET ROLE;
    RETURN answer;
END
$$;

SELECT is(pg_temp.attempt(), 'no problem: 1 1 t 1 inserts renames calls', 'an account in good standing');

INSERT INTO vrm_private.account_locks (user_id, locked_until) VALUES (:'alice', now() + interval '1 hour');
SELECT is(pg_temp.attempt(), 'the account is locked: 0 0 f 1',
          'one locked by hand sees its profile only, and does nothing');
UPDATE vrm_private.account_locks SET locked_until = now() - interval '1 hour';
SELECT is(pg_temp.attempt(), 'no problem: 1 1 t 1 inserts renames calls', 'a lock passes');
UPDATE vrm_private.account_locks SET locked_until = 'infinity';
SELECT is(pg_temp.attempt(), 'the account is locked: 0 0 f 1', 'or never');
DELETE FROM vrm_private.account_locks;
UPDATE vrm.user_profiles SET locked_until = 'infinity' WHERE id = :'alice';
SELECT is(pg_temp.attempt(), 'no problem: 1 1 t 1 inserts renames calls',
          'what guesses have locked is no matter of those who are in');
UPDATE vrm.user_profiles SET locked_until = NULL WHERE id = :'alice';

UPDATE auth.users SET banned_until = now() + interval '1 hour' WHERE id = :'alice';
SELECT is(pg_temp.attempt(), 'the account is banned: 0 0 f 1', 'a ban in auth.users counts at once');
UPDATE auth.users SET banned_until = now() - interval '1 hour' WHERE id = :'alice';
SELECT is(pg_temp.attempt(), 'no problem: 1 1 t 1 inserts renames calls', 'until it is over');
UPDATE auth.users SET deleted_at = now() WHERE id = :'alice';
SELECT is(pg_temp.attempt(), 'the account is deleted: 0 0 f 1', 'so does a deletion there');
UPDATE auth.users SET deleted_at = NULL WHERE id = :'alice';

UPDATE vrm.user_profiles SET deleted_at = now() WHERE id = :'alice';
SELECT is(pg_temp.attempt(), 'the account is deleted: 0 0 f 1', 'a deleted one sees its profile only');
UPDATE vrm.user_profiles SET deleted_at = NULL WHERE id = :'alice';

UPDATE vrm.user_profiles SET mfa_enabled = true WHERE id = :'alice';
SELECT is(pg_temp.attempt(), 'the second factor is missing: 0 0 f 1', 'with a second factor, a password is not enough');
SELECT is(pg_temp.attempt('{"aal": "aal1"}'), 'the second factor is missing: 0 0 f 1', 'said or unsaid');
SELECT is(pg_temp.attempt('{"aal": "aal2"}'), 'no problem: 1 1 t 1 inserts renames calls', 'both are');
UPDATE vrm.user_profiles SET mfa_enabled = false WHERE id = :'alice';
SELECT is(pg_temp.attempt('{"aal": "aal2"}'), 'no problem: 1 1 t 1 inserts renames calls',
          'and do no harm without one');

SELECT is(pg_temp.attempt('{"is_anonymous": true}'), 'the sign-in is anonymous: 0 0 f 1',
          'an anonymous sign-in has no data');

UPDATE vrm.user_profiles SET role = 'admin' WHERE id = :'alice';
SELECT matches(pg_temp.attempt(), '^no problem: 1 1 t [2-9]', 'an administrator sees all profiles');
UPDATE vrm.user_profiles SET mfa_enabled = true WHERE id = :'alice';
SELECT is(pg_temp.attempt(), 'the second factor is missing: 0 0 f 1', 'not before the second factor');
SELECT pg_temp.become(:'alice');
SELECT throws_ok(format('SELECT vrm.set_user_role(%L, %L)', :'bob', 'admin'), '42501', NULL,
                 'nor may it make others administrators');
SELECT throws_ok('SELECT vrm.delete_agent(vrm.uuid7())', '42501', 'the second factor is missing',
                 'functions that run as their owner refuse too, and say why');
RESET ROLE;
UPDATE vrm.user_profiles SET mfa_enabled = false, role = 'user' WHERE id = :'alice';

DELETE FROM vrm.metrics WHERE user_id = :'alice';
SELECT pg_temp.become('00000000-0000-7000-8000-0000000000cc');
SELECT is(vrm.account_problem(), 'there is no profile', 'a user without a profile');
SELECT is((SELECT count(*) FROM vrm.test_cases), 0::bigint, 'sees not even what others share');
RESET ROLE;
SET LOCAL vrm.identity = '';
SET LOCAL ROLE authenticated;
SELECT is(vrm.account_problem(), 'nobody is signed in', 'nobody at all');
SELECT throws_ok(statement, '28000', 'nobody is signed in', 'is told so: ' || statement)
FROM unnest(ARRAY['SELECT count(*) FROM vrm.test_cases', 'SELECT * FROM vrm.agents WHERE user_id = vrm.uid()',
                  'SELECT * FROM vrm.agents, vrm.login(''a token'')', 'SELECT count(*) FROM vrm.calls',
                  'SELECT vrm.login(''a token''), (SELECT count(*) FROM vrm.agents)',
                  'WITH gone AS (DELETE FROM vrm.metrics) SELECT 1',
                  'SELECT * FROM vrm.user_dashboard()']) AS statement;
SELECT lives_ok('EXPLAIN SELECT count(*) FROM vrm.test_cases', 'a plan can be looked at');
SELECT lives_ok('SELECT count(*) FROM vrm.test_case_templates', 'and what is no user''s');
RESET ROLE;
SELECT pg_temp.become(:'bob');
PREPARE seen AS SELECT count(*) > 0 FROM vrm.test_cases;
EXECUTE seen;
RESET ROLE;
SET LOCAL vrm.identity = '';
SET LOCAL ROLE authenticated;
SELECT throws_ok('seen', '28000', NULL, 'a plan of somebody else''s is none of nobody''s');
RESET ROLE;
SELECT lives_ok('SELECT count(*) FROM vrm.test_cases', 'who owns the tables is somebody');
SET LOCAL ROLE service_role;
SELECT lives_ok('SELECT count(*) FROM vrm.test_cases', 'and so is a service');
RESET ROLE;

SELECT is(policies, 1::bigint, format('%s has the restrictive policy', tenant)) FROM tenants ORDER BY tenant;

-- the planner's estimates ------------------------------------------------------------------------

INSERT INTO vrm.metrics (user_id, name, prompt)
SELECT CASE WHEN i % 5 = 0 THEN :'alice' ELSE :'bob' END::uuid, i::text, 'p' FROM generate_series(1, 5000) AS i;
ANALYZE vrm.metrics;
CREATE FUNCTION pg_temp.estimate(query text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
    RETURN plan #>> '{0,Plan,Plan Rows}';
END
$$;
SELECT pg_temp.become(:'alice');
SELECT cmp_ok(abs(pg_temp.estimate('SELECT * FROM vrm.metrics') - 1000), '<', 50,
              'the planner expects the rows of this very user, policies and all');
CREATE FUNCTION pg_temp.looks() RETURNS bigint LANGUAGE sql AS $$
    SELECT pg_stat_get_xact_numscans('vrm.user_profiles_pkey'::regclass)
$$;
SELECT pg_temp.looks() AS before \gset
SELECT count(*) FROM vrm.metrics \g /dev/null
SELECT cmp_ok(pg_temp.looks() - :before, '<', 10::bigint, 'of a thousand rows the account is looked at for few');
RESET ROLE;

-- PL/pgSQL keeps the expression, and with it the place of the answer, until the transaction ends
CREATE FUNCTION pg_temp.may() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN vrm.may_act(); END $$;
SELECT pg_temp.become(:'alice');
SELECT ok(pg_temp.may(), 'who is in good standing may act');
RESET ROLE;
UPDATE vrm.user_profiles SET deleted_at = now() WHERE id = :'alice';
SELECT pg_temp.become(:'alice');
SELECT ok(NOT pg_temp.may(), 'until the next statement');
RESET ROLE;
UPDATE vrm.user_profiles SET deleted_at = NULL WHERE id = :'alice';

-- the hook of Supabase Auth ----------------------------------------------------------------------

UPDATE vrm.user_profiles SET role = 'manager' WHERE id = :'alice';
SELECT is(vrm.hook_custom_access_token(jsonb_build_object('user_id', :'alice', 'claims', '{"aal": "aal1"}'::jsonb))
          -> 'claims',
          '{"aal": "aal1", "user_role": "manager"}', 'the hook adds the role of the profile');
SELECT is(vrm.hook_custom_access_token('{"user_id": "00000000-0000-7000-8000-0000000000cc", "claims": {}}') #>>
          '{claims,user_role}',
          'user', 'and user where there is none');
UPDATE vrm.user_profiles SET deleted_at = now() WHERE id = :'alice';
SELECT is(vrm.hook_custom_access_token(event) #>> '{error,http_code}', '400',
          'an event without user or claims is answered, too: ' || event::text)
FROM unnest(ARRAY['{}', '{"user_id": null, "claims": {}}', '{"user_id": "nobody", "claims": {}}', '[]',
                  '{"user_id": "00000000-0000-7000-8000-0000000000cc"}']::jsonb[]) AS event;
SELECT is(vrm.hook_custom_access_token(jsonb_build_object('user_id', :'alice', 'claims',
                                                          '{}'::jsonb)) #>> '{error,http_code}',
          '403', 'a deleted account gets no token');
SET LOCAL ROLE authenticated;
SELECT throws_ok($$SELECT vrm.hook_custom_access_token('{}')$$, '42501', NULL, 'users do not call it');

SELECT * FROM finish();
ROLLBACK;
