-- Teams: organisations that people act for, roles in them, invitations, and the attacks on all of it.
BEGIN;
SELECT plan(196);
\ir ../include/people.sql
\ir ../include/secrets.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob,
       pg_temp.person('carol@example.org') AS carol, pg_temp.person('dave@example.org') AS dave,
       pg_temp.person('eve@example.org') AS eve \gset
UPDATE auth.users SET email_confirmed_at = now() WHERE email <> 'eve@example.org';

CREATE FUNCTION pg_temp.claims(who uuid, organisation uuid DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
    SELECT set_config('request.jwt.claims', jsonb_strip_nulls(jsonb_build_object('sub', who, 'act_as',
          organisation))::text,
                      true)
$$;

-- an organisation ------------------------------------------------------------------------------------

SELECT pg_temp.as_user(:'alice', $$SELECT vrm.create_organisation('Acme')$$) AS acme,
       pg_temp.as_user(:'eve', $$SELECT vrm.create_organisation('Eve''s')$$) AS evil \gset
SELECT is((SELECT full_name || is_organisation FROM vrm.user_profiles WHERE id = :'acme'), 'Acmetrue',
          'an organisation is an account');
SELECT is(pg_temp.as_user(:'alice', 'SELECT string_agg(concat_ws('' '', name, role, acted_for), '','')
                                     FROM vrm.organisations()'), 'Acme admin f', 'whoever makes it administers it');
SELECT is(pg_temp.as_user(:'bob', 'SELECT count(*) FROM vrm.organisations()'), '0', 'others know nothing of it');
SELECT is(pg_temp.as_user(:'alice', 'SELECT vrm.create_organisation('''')'), '22023', 'it has a name');
SELECT is(pg_temp.as_user(:'bob', 'SELECT count(vrm.create_organisation(''x'')) FROM generate_series(1, 101)'), '54000',
          'nobody has more than a hundred');
SELECT is(pg_temp.as_user(NULL, 'SELECT vrm.create_organisation(''x'')'), '28000', 'nobody makes none');
SELECT is(pg_temp.as_anon('SELECT vrm.create_organisation(''x'')'), '42501', 'nor anon');

SELECT pg_temp.as_member(:'alice', :'acme', 'SELECT vrm.create_agent(''reception'')') AS agent \gset

-- invitations ------------------------------------------------------------------------------------

SELECT pg_temp.as_member(:'alice', :'acme', $$SELECT vrm.invite(' Bob@Example.org', 'member')$$) AS token \gset
SELECT is((SELECT count(*) FROM vrm_private.team_invitations WHERE token_hash = sha256(convert_to(:'token', 'UTF8'))),
          1::bigint, 'of a token the hash is kept');
SELECT is((SELECT count(*) FROM vrm.audit_log a WHERE a::text LIKE '%' || split_part(:'token', '.', 3) || '%'),
          0::bigint,
          'and the audit trail does not know it');
SELECT is(pg_temp.as_user(:'carol', format('SELECT vrm.accept(%L)', :'token')), 'P0002',
          'somebody with another address does not get in');
SELECT is(pg_temp.error_of(:'carol', format('SELECT vrm.accept(%L)', :'token')),
          pg_temp.error_of(:'carol', 'SELECT vrm.accept(''no.such.token'')'), 'and cannot tell it from no token');
UPDATE auth.users SET email_confirmed_at = NULL WHERE id = :'bob';
SELECT is(pg_temp.as_user(:'bob', format('SELECT vrm.accept(%L)', :'token')), 'P0002',
          'nor does one who has not proved the address');
UPDATE auth.users SET email_confirmed_at = now() WHERE id = :'bob';
UPDATE vrm_private.team_invitations SET expires_at = now();
SELECT is(pg_temp.as_user(:'bob', format('SELECT vrm.accept(%L)', :'token')), 'P0002', 'nor one who comes too late');
UPDATE vrm_private.team_invitations SET expires_at = now() + '7 days'::interval;
SELECT is(pg_temp.as_user(:'bob', format('SELECT vrm.accept(%L)', left(:'token', -1) || 'x')), 'P0002',
          'nor one who guesses');
SELECT is(pg_temp.as_user(:'bob', format('SELECT vrm.accept(%L)', :'token')), :'acme', 'who is meant does');
SELECT is(pg_temp.as_user(:'bob', format('SELECT vrm.accept(%L)', :'token')), 'P0002', 'once');
SELECT is(pg_temp.as_member(:'bob', :'acme', 'SELECT vrm.team_role()'), 'member', 'in that role');
SELECT pg_temp.as_member(:'alice', :'acme', $$SELECT vrm.invite('carol@example.org', 'admin')$$) AS old_token \gset
SELECT pg_temp.as_member(:'alice', :'acme', $$SELECT vrm.invite('carol@example.org', 'viewer')$$) AS token \gset
SELECT is(pg_temp.as_user(:'carol', format('SELECT vrm.accept(%L)', :'old_token')), 'P0002',
          'another invitation takes the place of the first');
SELECT is(pg_temp.as_user(:'carol', format('SELECT vrm.accept(%L)', :'token')), :'acme', 'which is good');
SELECT pg_temp.as_member(:'alice', :'acme', $$SELECT vrm.invite('dave@example.org', 'manager')$$) AS token \gset
SELECT is(pg_temp.as_member(:'alice', :'acme',
                            'SELECT string_agg(concat_ws('' '', email, role, invited_by), '','') FROM
                              vrm.invitations()'),
          'dave@example.org manager alice@example.org', 'open ones are listed');
SELECT is(pg_temp.as_member(:'alice', :'acme', 'SELECT vrm.revoke_invitation(id) FROM vrm.invitations()'), 'true',
          'and can be withdrawn');
SELECT is(pg_temp.as_user(:'dave', format('SELECT vrm.accept(%L)', :'token')), 'P0002', 'then they are worthless');
SELECT pg_temp.as_member(:'alice', :'acme', $$SELECT vrm.invite('dave@example.org', 'manager')$$) AS token \gset
SELECT pg_temp.as_user(:'dave', format('SELECT vrm.accept(%L)', :'token')) \g /dev/null
SELECT is(pg_temp.as_member(:'alice', :'acme', format('SELECT vrm.invite(%s)', bad)), '22023', 'no invitation: ' || bad)
FROM unnest(ARRAY['''x@example.org'', ''owner''', '''x@example.org'', NULL', '''nobody'', ''viewer''',
                  'NULL, ''viewer''']) AS bad;
SELECT is(pg_temp.as_member(:'dave', :'acme', 'SELECT vrm.invite(''x@example.org'', ''admin'')'), '42501',
          'nobody gives a role above their own');
SELECT is(pg_temp.as_user(:'dave', 'SELECT vrm.invite(''x@example.org'', ''viewer'')'), '55000',
          'who acts for themselves invites nobody');

-- viewers ------------------------------------------------------------------------------------------

SELECT pg_temp.as_member(:'bob', :'acme', format('SELECT vrm.start_test_run(%L)', :'agent')) AS run,
       pg_temp.as_member(:'bob', :'acme', 'INSERT INTO vrm.metrics (name, prompt) VALUES (''m'', ''p'') RETURNING id')
           AS metric \gset
SELECT is(pg_temp.as_member(:'carol', :'acme', 'SELECT count(*) FROM ' || relation), '1', 'a viewer reads ' || relation)
FROM unnest(ARRAY['vrm.agents', 'vrm.test_runs', 'vrm.metrics', 'vrm.run_events',
                  'vrm.user_dashboard()']) AS relation;
SELECT is(pg_temp.as_member(:'carol', :'acme', statement), '42501', 'a viewer: ' || statement)
FROM unnest(ARRAY['INSERT INTO vrm.agents (agent_id) VALUES (''x'')',
                  'INSERT INTO vrm.agents (user_id, agent_id) VALUES (vrm.actor(), ''x'')',
                  'UPDATE vrm.agents SET persona = ''x''', 'UPDATE vrm.test_cases SET name = ''x''',
                  'INSERT INTO vrm.test_runs (status) VALUES (''queued'')', 'UPDATE vrm.metrics SET name = ''x''',
                  'INSERT INTO vrm.metrics (name, prompt) VALUES (''x'', ''y'')',
                  'INSERT INTO vrm.suites (name) VALUES (''x'')',
                  'INSERT INTO vrm.call_imports (source, payload) VALUES (''vapi'', ''{}'')',
                  'INSERT INTO vrm.cached_results SELECT vrm.uid(), ''x'', ''{}'', NULL, now(), pg_current_snapshot(),
                    ''3''',
                  'UPDATE vrm.user_profiles SET full_name = ''x'' WHERE id = vrm.uid()',
                  'INSERT INTO vrm.agents (agent_id) VALUES (''reception'')'
                  ' ON CONFLICT (user_id, agent_id) DO UPDATE SET persona = ''x''',
                  'TRUNCATE vrm.agents',
                  'SELECT vrm.create_agent(''x'')', 'SELECT vrm.store_api_key(''openai'', ''sk-1'')',
                  'SELECT vrm.import_call(''vapi'', ''{}'')', 'SELECT vrm.create_agent(''x'') FROM vrm.agents',
                  'SELECT vrm.invite(''x@example.org'', ''viewer'')', 'SELECT vrm.delete_account()',
                  'SELECT count(*) FROM vrm.export_user_data()', 'SELECT vrm.erase_customer(''x'')',
                  'SELECT vrm.export_customer(''x'')', 'SELECT vrm.set_member_role(vrm.actor(), ''admin'')',
                  'SELECT count(*) FROM vrm.invitations()', 'SELECT count(*) FROM vrm.member_activity()']) AS statement;
SELECT is(pg_temp.as_member(:'carol', :'acme', format(statement, :'run', :'agent', :'metric')), '42501',
          'a viewer: ' || statement)
FROM unnest(ARRAY['SELECT vrm.complete_test_run(%1$L)', 'SELECT vrm.fail_test_run(%1$L, ''x'')',
                  'SELECT vrm.cancel_test_run(%1$L)', 'SELECT vrm.append_transcript(%1$L, ''Agent'', ''x'')',
                  'SELECT vrm.append_turns(%1$L, ''[]'')', 'SELECT vrm.record_action(%1$L, ''x'')',
                  'SELECT vrm.amend_test_run(%1$L, ''{}'')', 'SELECT vrm.start_test_run(%2$L)',
                  'SELECT vrm.delete_agent(%2$L)', 'SELECT vrm.delete_test_run(%1$L)',
                  'SELECT vrm.record_metric_result(%3$L, %1$L, 1)', 'SELECT vrm.make_test_case(%1$L)',
                  'SELECT vrm.restore_agent_version(%2$L, 1)']) AS statement;
SELECT is(pg_temp.as_member(:'carol', :'acme', 'WITH gone AS (DELETE FROM ' || relation || ' RETURNING 1)
                                                SELECT count(*) FROM gone'), '0', 'a viewer deletes nothing of ' ||
                                                  relation)
FROM unnest(ARRAY['vrm.agents', 'vrm.test_runs', 'vrm.test_cases', 'vrm.metrics']) AS relation;
SELECT is(pg_temp.as_member(:'carol', :'acme',
                            'SELECT vrm.dashboard(''call_summary'', ''{"since": "2020-01-01", "until": "2030-01-01"}'',
                                                  ''1 hour'') IS NOT NULL'), 'true', 'but has dashboards');
SELECT is((SELECT count(*) FROM vrm.cached_results WHERE user_id = :'acme'), 0::bigint, 'of which none is kept');
SELECT is(pg_temp.as_member(:'carol', :'acme',
          'SELECT vrm.create_agent(''own'') FROM vrm.act_as(NULL)') ~ '^[0-9a-f-]{36}$',
          true, 'for themselves they write');
SELECT is(pg_temp.as_member(:'carol', :'acme', 'SELECT string_agg(full_name || email, '','') FROM vrm.members()'
                                               ' WHERE last_login IS NOT NULL'), NULL,
          'who signs in when is not theirs');
SELECT is_empty($$SELECT c.oid::regclass FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname =
  'user_id'
                  WHERE c.relnamespace = 'vrm'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
                    AND (has_any_column_privilege('authenticated', c.oid, 'INSERT, UPDATE')
                         OR has_table_privilege('authenticated', c.oid, 'DELETE'))
                    AND 3 <> (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid AND NOT p.polpermissive
                              AND p.polname LIKE 'viewers % nothing')$$,
                'every table that users write keeps viewers out');
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc p
                  WHERE p.pronamespace IN ('vrm'::regnamespace, 'vrm_private'::regnamespace)
                    AND p.prosrc LIKE '%vrm_private.reader()%' AND p.provolatile = 'v'$$,
                'whatever asks for a reader is STABLE, which writes nothing');
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc p
                  WHERE p.pronamespace = 'vrm'::regnamespace AND p.prosrc LIKE '%vrm_private.caller()%'
                    AND p.proname NOT IN ('platform_script', 'platform_steps') AND p.provolatile <> 'v'$$,
          'and whatever only reads lets viewers in');

-- members, managers, admins -----------------------------------------------------------------------

SELECT is(pg_temp.as_member(:'bob', :'acme', 'SELECT vrm.create_agent(''sales'') IS NOT NULL'), 'true',
          'members write');
SELECT is(pg_temp.as_member(:'bob', :'acme', 'UPDATE vrm.agents SET persona = ''kind'' RETURNING user_id'), :'acme',
          'and change what is there');
SELECT is(pg_temp.as_member(:'bob', :'acme', statement), '42501', 'a member: ' || statement)
FROM unnest(ARRAY['SELECT vrm.invite(''x@example.org'', ''viewer'')', 'SELECT vrm.remove_member(vrm.actor())',
                  'SELECT vrm.set_member_role(vrm.actor(), ''admin'')', 'SELECT vrm.delete_account()',
                  'UPDATE vrm.user_profiles SET full_name = ''x'' WHERE id = vrm.uid()',
                  'SELECT count(*) FROM vrm.export_user_data()', 'SELECT count(*) FROM vrm.member_activity()',
                  'SELECT vrm.set_user_role(vrm.actor(), ''admin'')']) AS statement;
SELECT is(pg_temp.as_member(:'dave', :'acme', format(statement, :'alice', :'bob')), '42501', 'a manager: ' || statement)
FROM unnest(ARRAY['SELECT vrm.remove_member(%1$L)', 'SELECT vrm.set_member_role(%2$L, ''viewer'')',
                  'SELECT vrm.set_member_role(vrm.actor(), ''admin'')', 'SELECT vrm.delete_account()',
                  'UPDATE vrm.user_profiles SET full_name = ''x'' WHERE id = vrm.uid()']) AS statement;
SELECT is(pg_temp.as_member(:'dave', :'acme', format('SELECT vrm.remove_member(%L)', vrm.uuid7())), 'P0002',
          'there is no such member');
SELECT is(pg_temp.as_member(:'alice', :'acme', 'SELECT string_agg(role, '','') FROM vrm.members()'),
          'admin,manager,member,viewer', 'members are listed by rank');
SELECT is(pg_temp.as_member(:'alice', :'acme', format(statement, :'alice', :'acme')), '55000',
          'the last admin stays: ' || statement)
FROM unnest(ARRAY['SELECT vrm.leave(%2$L)', 'SELECT vrm.remove_member(%1$L)',
          'SELECT vrm.set_member_role(%1$L, ''viewer'')',
                  'SELECT vrm.delete_account(%1$L) FROM vrm.act_as(NULL)']) AS statement;
SELECT is(pg_temp.as_member(:'alice', :'acme', format('SELECT vrm.set_member_role(%L, ''admin'')', :'dave')), '',
          'an admin makes another one');
SAVEPOINT two;
SELECT pg_temp.as_user(:'dave', 'SELECT vrm.delete_account()') \g /dev/null
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.leave(%L)', :'acme')), '55000',
          'one who has deleted their account is none');
ROLLBACK TO SAVEPOINT two;
SELECT is(pg_temp.as_member(:'alice', :'acme', 'UPDATE vrm.user_profiles SET full_name = ''Acme Ltd''
                                                WHERE id = vrm.uid() RETURNING full_name'), 'Acme Ltd', 'and gives it
                                                  a name');
SELECT is(pg_temp.as_member(:'alice', :'acme', 'UPDATE vrm.user_profiles SET full_name = NULL WHERE id = vrm.uid()'),
          '23514', 'but not none');

-- profiles -----------------------------------------------------------------------------------------

SELECT is((SELECT string_agg(organization || ' ' || role, ',' ORDER BY email) FROM vrm.user_profiles
           WHERE id IN (:'alice', :'bob', :'carol', :'dave')),
          'Acme Ltd manager,Acme Ltd user,Acme Ltd user,Acme Ltd manager', 'profiles show where people belong');
SELECT is(pg_temp.as_user(:'bob', 'UPDATE vrm.user_profiles SET organization = ''Globex'' WHERE id = vrm.uid()'),
          '23514',
          'members do not claim to be of another');
SELECT is(pg_temp.as_user(:'bob', 'UPDATE vrm.user_profiles SET organization = NULL WHERE id = vrm.uid()
                                   RETURNING organization IS NULL'), 'true', 'they may say nothing');
SELECT is(pg_temp.as_member(:'bob', :'acme', 'SELECT string_agg(full_name, '','') FROM vrm.user_profiles
                                              WHERE is_organisation'), 'Acme Ltd', 'members read its profile');
UPDATE vrm.user_profiles SET role = 'admin' WHERE id = :'acme';
SELECT is(pg_temp.as_member(:'bob', :'acme', 'SELECT vrm.set_user_role(vrm.actor(), ''admin'')'), '42501',
          'an organisation administers nothing, whatever its profile says');
UPDATE vrm.user_profiles SET role = 'user' WHERE id = :'acme';
UPDATE vrm.user_profiles SET role = 'admin' WHERE id = :'eve';
SELECT is(pg_temp.as_user(:'eve', format('SELECT vrm.set_user_role(%L, ''admin'')', :'acme')), 'P0002',
          'nor is it made to');
SELECT is(pg_temp.as_member(:'eve', :'evil', 'SELECT count(*) FROM vrm.audit_log'), '0',
          'an administrator who acts for an organisation is none meanwhile');
UPDATE vrm.user_profiles SET role = 'user' WHERE id = :'eve';

-- audit ----------------------------------------------------------------------------------------------

SELECT vrm.audit_enable('vrm.agents') \g /dev/null
SELECT pg_temp.as_member(:'bob', :'acme', 'SELECT vrm.create_agent(''audited'')') \g /dev/null
SELECT is((SELECT ARRAY[actor, acting_for] FROM vrm.audit_log WHERE action = 'INSERT' AND relation = 'vrm.agents'),
          ARRAY[:'bob', :'acme']::uuid[], 'a changed row has the person and the organisation');
SELECT pg_temp.as_user(:'bob', 'SELECT vrm.create_agent(''private'')') \g /dev/null
SELECT is((SELECT count(*) FROM vrm.audit_log WHERE action = 'INSERT' AND actor = :'bob' AND acting_for IS NULL),
          1::bigint,
          'for themselves only the person');
SELECT pg_temp.claims(:'bob', :'acme') \g /dev/null
SELECT vrm.audit_journal('tried', '{"a": 1}') \g /dev/null
SELECT pg_temp.claims(:'bob', :'evil') \g /dev/null
SELECT vrm.audit_journal('forged', NULL) \g /dev/null
SELECT pg_temp.claims(NULL) \g /dev/null
SELECT vrm.audit_drain() \g /dev/null
SELECT is((SELECT ARRAY[actor, acting_for] FROM vrm.audit_log WHERE action = 'tried'), ARRAY[:'bob', :'acme']::uuid[],
          'so has an event that no ROLLBACK takes back');
SELECT is((SELECT ARRAY[actor, acting_for] FROM vrm.audit_log WHERE action = 'forged'), ARRAY[:'bob', NULL]::uuid[],
          'a forged claim puts nothing into the trail of others');
SELECT is(pg_temp.as_member(:'dave', :'acme',
          format('SELECT string_agg(concat_ws('' '', email, action, relation), '','')
              FROM (SELECT * FROM vrm.member_activity(member => %L) ORDER BY at) AS a WHERE action IN (''INSERT'',
          ''tried'')',
              :'bob')), 'bob@example.org INSERT vrm.agents,bob@example.org tried', 'managers see what members do');
SELECT is(pg_temp.as_member(:'dave', :'acme', 'SELECT count(*) FROM vrm.member_activity() WHERE new ->> ''agent_id''
                                               = ''private'''), '0', 'not what they do for themselves');
SELECT is(pg_temp.as_member(:'dave', :'acme', 'SELECT string_agg(DISTINCT action, '','' ORDER BY action)
              FROM vrm.member_activity() WHERE action LIKE ''member%'''), 'member invited,member joined',
          'and who came');
SELECT is(vrm_private.audit_hash(a) = vrm_private.audit_hash(b), false, 'seals cover whom somebody acted for')
FROM vrm.audit_log a, LATERAL (SELECT a.class, a.at, a.id, a.action, a.actor, a.db_role, a.relation, a.old, a.new,
          a.detail,
                                      a.era, a.xid, NULL::uuid) AS c,
     LATERAL (SELECT (c::text::vrm.audit_log).*) AS b
WHERE a.action = 'tried';

-- somebody else -----------------------------------------------------------------------------------

SELECT pg_temp.claims(:'alice') \g /dev/null
SELECT vrm.act_as(:'acme') \g /dev/null
SELECT pg_temp.claims(:'bob') \g /dev/null
SELECT is(vrm.uid(), :'bob'::uuid, 'who signs in next in a transaction acts for themselves, member or not');
SELECT pg_temp.claims(:'alice') \g /dev/null
SELECT is(vrm.uid(), :'acme'::uuid, 'and the choice is its maker''s');
SELECT vrm.act_as(NULL) \g /dev/null
SELECT pg_temp.claims(NULL) \g /dev/null
SELECT throws_ok(format('ALTER %s SET vrm.acting = ''%s %s''', place, :'bob', :'acme'), '42501', NULL,
                 'no choice is made for a ' || lower(split_part(place, ' ', 1)))
FROM unnest(ARRAY[format('DATABASE %I', current_database()), 'ROLE authenticated']) AS place;

-- removal ---------------------------------------------------------------------------------------------

SELECT pg_temp.claims(:'bob') \g /dev/null
SELECT vrm.act_as(:'acme') \g /dev/null
SET LOCAL ROLE authenticated;
SELECT isnt((SELECT count(*) FROM vrm.agents), 0::bigint, 'a member at work');
RESET ROLE;
DELETE FROM vrm_private.team_members WHERE user_id = :'acme' AND member_id = :'bob';
SET LOCAL ROLE authenticated;
SELECT is((SELECT count(*) FROM vrm.agents), 0::bigint, 'who is removed reads nothing any more');
SELECT is(vrm.uid(), NULL, 'is nobody');
SELECT is(vrm.may_write(), false, 'writes nothing');
SELECT throws_ok('SELECT vrm.create_agent(''x'')', '42501', 'the membership in the organisation has ended',
          'as functions say');
SELECT throws_ok(format('SELECT vrm.cancel_test_run(%L)', :'run'), '42501',
          'the membership in the organisation has ended',
                 'all of them');
SELECT throws_ok(format('SELECT vrm.act_as(%L)', :'acme'), '42501', NULL, 'and does not come back');
SELECT is(vrm.act_as(NULL), NULL, 'but acts for themselves');
SELECT is((SELECT count(*) FROM vrm.agents), 1::bigint, 'with what is theirs');
RESET ROLE;
SELECT pg_temp.claims(NULL) \g /dev/null
SELECT is((SELECT concat(organization, role) FROM vrm.user_profiles WHERE id = :'bob'), 'user',
          'the profile shows that it is over');
SAVEPOINT unsaid;
SELECT pg_temp.as_member(:'dave', :'acme', $$SELECT vrm.invite('bob@example.org', 'admin')$$) AS token \gset
SELECT pg_temp.as_member(:'dave', :'acme', $$SELECT vrm.invite('x@example.org', 'viewer')$$) \g /dev/null
SELECT pg_temp.as_member(:'alice', :'acme', format('SELECT vrm.set_member_role(%L, ''manager'')', :'dave')) \g /dev/null
SELECT is(pg_temp.as_user(:'bob', format('SELECT vrm.accept(%L)', :'token')), 'P0002',
          'who is no admin any more has made none');
SELECT is((SELECT count(*) FROM vrm_private.team_invitations WHERE invited_by = :'dave'), 1::bigint,
          'others invitations of theirs stay good');
SELECT is(pg_temp.as_member(:'dave', :'acme', format('SELECT vrm.leave(%L)', :'acme')), '', 'members leave');
SELECT is((SELECT count(*) FROM vrm_private.team_invitations WHERE invited_by = :'dave'), 0::bigint,
          'then nobody comes by their invitation');
ROLLBACK TO SAVEPOINT unsaid;
SELECT is(pg_temp.as_member(:'alice', :'acme', format('SELECT vrm.remove_member(%L)', :'carol')), '', 'admins remove');
SELECT is(pg_temp.as_member(:'carol', :'acme', 'SELECT vrm.uid()'), NULL, 'at once');
SELECT is(pg_temp.as_user(:'carol', format('SELECT vrm.leave(%L)', :'acme')), 'P0002', 'who is gone cannot go');

-- standing --------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.problem(who uuid, organisation uuid) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.as_member(who, organisation, 'SELECT vrm.account_problem()')
$$;
UPDATE auth.users SET banned_until = 'infinity' WHERE id = :'dave';
SELECT is(pg_temp.problem(:'dave', :'acme'), 'the account is banned', 'a member who is banned acts for nobody');
UPDATE auth.users SET banned_until = NULL WHERE id = :'dave';
UPDATE vrm.user_profiles SET mfa_enabled = true WHERE id = :'dave';
SELECT is(pg_temp.problem(:'dave', :'acme'), 'the second factor is missing', 'nor without the second factor');
UPDATE vrm.user_profiles SET mfa_enabled = false WHERE id = :'dave';
UPDATE auth.users SET banned_until = 'infinity' WHERE id = :'acme';
SELECT is(pg_temp.problem(:'dave', :'acme'), 'the organisation is banned', 'nor for an organisation that is banned');
UPDATE auth.users SET banned_until = NULL WHERE id = :'acme';
SELECT vrm.lock_account(:'acme', 'infinity', 'unpaid') \g /dev/null
SELECT is(pg_temp.problem(:'dave', :'acme'), 'the organisation is locked', 'or locked');
DELETE FROM vrm_private.account_locks;
SELECT is(pg_temp.problem(:'dave', :'acme'), NULL, 'otherwise they do');

-- what is the person's stays so -----------------------------------------------------------------------

SELECT is(pg_temp.as_member(:'dave', :'acme',
          'SELECT status FROM vrm.mfa_enrol(''phone'') AS e, (SELECT ''x'') AS s (status)'),
          'x', 'a second factor');
SELECT is((SELECT string_agg(email, ',') FROM vrm.user_profiles WHERE mfa_secret IS NOT NULL), 'dave@example.org',
          'is the person''s, whomever they act for');
SELECT is(pg_temp.as_member(:'dave', :'acme', format('SELECT vrm.session_revoke_all(%L)', :'acme')), '42501',
          'the organisation has no sessions');
SELECT is(pg_temp.as_member(:'dave', :'acme', 'SELECT vrm.session_revoke_all(vrm.actor())'), '0', 'the person has');
SELECT is((SELECT may FROM vrm_private.account_state(:'acme')), false, 'nobody signs in to an organisation');

-- tokens -----------------------------------------------------------------------------------------------

SELECT vrm.sign_up('gina@example.org', 'correct horse') AS gina \gset
UPDATE auth.users SET email_confirmed_at = now() WHERE id = :'gina';
INSERT INTO vrm_private.team_members (user_id, member_id, role) VALUES (:'acme', :'gina', 'member');
SELECT access_token, refresh_token, session_id FROM vrm.sign_in('gina@example.org', 'correct horse') \gset
SELECT vrm.login(:'access_token') \g /dev/null
SELECT vrm.session_act_as(:'acme') AS team_token \gset
SELECT vrm.act_as(:'acme') \g /dev/null
SELECT is(vrm.rpc(:'access_token', 'uid') ->> 'result', :'gina', 'vrm.rpc() acts for whom its token says');
SELECT is(vrm.rpc(:'team_token', 'uid') ->> 'result', :'acme', 'a person or an organisation');
SELECT is(vrm.rpc_batch(:'access_token', format('[{"function": "act_as", "arguments": {"organisation": "%s"}},
                                                   {"function": "uid"}]', :'acme')::jsonb) #>> '{result,1}', :'acme',
          'and a batch acts for whom it begins with');
SELECT is(vrm.uid(), :'acme'::uuid, 'which is over with it');
SELECT throws_ok(format('SELECT vrm.session_act_as(%L)', :'evil'), '42501', NULL, 'no token acts for others');
SELECT vrm.logout() \g /dev/null
SELECT is(vrm.login(:'team_token'), :'gina'::uuid, 'a token that acts for an organisation signs the person in');
SELECT is(vrm.uid(), :'acme'::uuid, 'and acts for it');
SELECT is(vrm.account_problem(), NULL, 'rightly');
SELECT is(vrm.jwt() ->> 'session_id', :'session_id', 'in the same session');
SELECT vrm.act_as(NULL) \g /dev/null
SELECT is(vrm.login(:'team_token') = vrm.uid(), false, 'another sign-in begins anew');
SELECT vrm.session_act_as() AS own_token \gset
SELECT vrm.logout(), vrm.login(:'own_token') \g /dev/null
SELECT is(vrm.uid(), :'gina'::uuid, 'a token for oneself follows from it');
SELECT vrm.logout() \g /dev/null
SELECT access_token FROM vrm.session_refresh(:'refresh_token') \gset
SELECT vrm.login(:'access_token') \g /dev/null
SELECT is(vrm.uid(), :'gina'::uuid, 'as by a refresh');
SELECT vrm.logout() \g /dev/null
SELECT is(pg_temp.as_user(:'dave', 'SELECT vrm.session_act_as()'), '55000', 'tokens of others are theirs to issue');
SELECT is(vrm.hook_custom_access_token(jsonb_build_object('user_id', who, 'claims', jsonb_build_object(
              'user_metadata', jsonb_build_object('act_as', chosen)))) #>> '{claims,act_as}', given,
              'the hook: ' || what)
FROM (VALUES (:'gina', :'acme', :'acme', 'a member'), (:'gina', :'evil', NULL, 'not a member'),
             (:'gina', 'Acme', NULL, 'no id')) AS events (who, chosen, given, what);
DELETE FROM vrm_private.team_members WHERE member_id = :'gina';
SELECT vrm.login(:'team_token') \g /dev/null
SELECT is(vrm.uid(), NULL, 'a token that outlives the membership is nobody''s');
SELECT is(vrm.rpc(:'team_token', 'create_agent', '{"agent_id": "late"}') #>> '{error,reason}', 'no_member',
          'as vrm.rpc() says');
SELECT vrm.logout() \g /dev/null

-- whatever writes asks ---------------------------------------------------------------------------------

SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang AND l.lanname <> 'c'
                  WHERE p.pronamespace = 'vrm'::regnamespace AND p.provolatile = 'v' AND p.prosecdef
                    AND has_function_privilege('authenticated', p.oid, 'EXECUTE')
                    AND p.prosrc !~ ('vrm_private\.(caller|person|require_user|factor_owner|organisation|'
                        'locked_organisation|is_admin|is_operator|require_service_or_admin|require_own_account)\(')
                    -- of people who are not signed in, or in their own name
                    AND p.proname NOT IN ('sign_up', 'confirm_sign_up', 'sign_in', 'sign_in_mfa', 'session_refresh',
                                          'request_password_reset', 'consume_password_reset', 'log',
                                          'confirm_email_change', 'request_account_recovery',
                                          'recover_own_account', 'count_cached_result')$$,
                'every function that writes with its owner''s rights asks for whom');
SELECT is(pg_temp.as_member(:'dave', :'acme', 'SELECT vrm.log(''application'', ''info'', ''of dave'')'), NULL, 'a log');
SELECT is((SELECT user_id FROM vrm.logs WHERE message = 'of dave'), :'dave'::uuid, 'is the person''s');

-- export, deletion, erasure ----------------------------------------------------------------------------

CREATE FUNCTION pg_temp.exported(relation text) RETURNS text LANGUAGE sql AS $$
    SELECT format('SELECT count(*) FROM vrm.export_user_data() WHERE relation = %L', relation)
$$;
SELECT is(pg_temp.as_member(:'dave', :'acme', pg_temp.exported('vrm.agents')),
          (SELECT count(*)::text FROM vrm.agents WHERE user_id = :'acme'), 'admins export what it owns');
SELECT is(pg_temp.as_member(:'dave', :'acme', pg_temp.exported('vrm_private.team_members')), '2',
          'and who belongs to it');
SELECT is(pg_temp.as_user(:'dave', pg_temp.exported('vrm_private.team_members')), '1', 'members where they belong');
SELECT is(pg_temp.as_user(:'bob', pg_temp.exported('vrm.agents')), '1', 'and nothing that it owns');
SELECT is(pg_temp.as_user(:'bob', 'SELECT count(*) FROM vrm.export_user_data() WHERE data ->> ''action'' = ''tried'''),
          '0',
          'nor what they did for it');
SELECT is(pg_temp.as_user(:'dave', format('SELECT count(*) FROM vrm.export_user_data(%L)', :'acme')), '42501',
          'who does not act for it exports nothing of it');
SELECT is(pg_temp.as_user(:'dave', format('SELECT vrm.delete_account(%L)', :'acme')), '42501', 'nor deletes it');

SELECT pg_temp.person('hugo@example.org') AS hugo,
       pg_temp.as_member(:'dave', :'acme', $$SELECT vrm.invite('hugo@example.org', 'viewer')$$) AS token \gset
SELECT vrm.erase_user(:'hugo', 'asked for it') \g /dev/null
SELECT is((SELECT count(*) FROM vrm_private.team_invitations WHERE email = 'hugo@example.org'), 0::bigint,
          'invitations of who is erased go');
UPDATE vrm_private.team_invitations SET expires_at = now() - '1 s'::interval;
SELECT vrm_private.forget_invitations() \g /dev/null
SELECT is((SELECT count(*) FROM vrm_private.team_invitations), 0::bigint,
          'as do those that nobody has accepted in time');

UPDATE vrm.user_profiles SET created_at = now() - '9 years'::interval WHERE id IN (:'acme', :'dave', :'alice');
UPDATE vrm_private.team_members SET joined_at = now() - '9 years'::interval;
UPDATE vrm.user_profiles SET last_login = now() - '2 years'::interval WHERE id = :'dave';
SELECT is((SELECT vrm_private.last_seen(id, last_login, created_at) FROM vrm.user_profiles WHERE id = :'acme'),
          now() - '2 years'::interval, 'an organisation was seen when its members were');

SELECT is(pg_temp.as_member(:'dave', :'acme', 'SELECT vrm.delete_account()'), '', 'admins delete it');
SELECT is(pg_temp.problem(:'dave', :'acme'), 'the organisation is deleted', 'then nobody acts for it');
SELECT is(pg_temp.as_user(:'dave', 'SELECT count(*) FROM vrm.organisations()'), '0', 'nor sees it');
SELECT is(pg_temp.as_user(:'dave', 'SELECT vrm.account_problem()'), NULL, 'people are as they were');
SELECT vrm.recover_account(:'acme') \g /dev/null
SELECT is(pg_temp.problem(:'dave', :'acme'), NULL, 'it can come back');
UPDATE vrm_private.team_members SET role = 'viewer' WHERE member_id = :'dave';
SELECT is(vrm.erase_user(:'alice', 'asked for it') > 0, true, 'who is erased is not asked');
SELECT is((SELECT string_agg(row_count::text, ',') FROM vrm_private.erasure_ledger
           WHERE user_id = :'alice' AND relation = 'vrm_private.team_members'), '1', 'the ledger has the membership');
SELECT is((SELECT role FROM vrm_private.team_members WHERE member_id = :'dave'), 'admin',
          'the next in rank takes over');
SELECT isnt((SELECT count(*) FROM vrm.agents WHERE user_id = :'acme'), 0::bigint, 'what they made for it stays');
SELECT vrm.erase_user(:'dave', 'asked for it') \g /dev/null
SELECT isnt((SELECT deleted_at FROM vrm.user_profiles WHERE id = :'acme'), NULL, 'what nobody belongs to is deleted');
SELECT isnt(vrm.erase_user(:'acme', 'nobody is left'), 0::bigint, 'and erased like anybody');
SELECT is((SELECT count(*) FROM vrm.agents WHERE user_id = :'acme'), 0::bigint, 'with all that it owned');

SELECT * FROM finish();
ROLLBACK;
