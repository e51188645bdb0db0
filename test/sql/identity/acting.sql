-- Acting for an organisation: by a function, by a claim, and the attacks on both.
BEGIN;
SELECT plan(46);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob,
       pg_temp.person('eve@example.org') AS eve \gset
CREATE FUNCTION pg_temp.claims(who uuid, organisation uuid DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
    SELECT set_config('request.jwt.claims', jsonb_strip_nulls(jsonb_build_object('sub', who, 'act_as',
          organisation))::text,
                      true)
$$;

SELECT pg_temp.as_user(:'alice', $$SELECT vrm.create_organisation('Acme')$$) AS acme,
       pg_temp.as_user(:'eve', $$SELECT vrm.create_organisation('Eve''s')$$) AS evil \gset

-- acting -------------------------------------------------------------------------------------------

SELECT pg_temp.claims(:'alice') \g /dev/null
SAVEPOINT acting;
SELECT is(vrm.act_as(:'acme'), 'admin', 'a member acts for it');
SELECT is(ARRAY[vrm.uid(), vrm.actor()], ARRAY[:'acme', :'alice']::uuid[], 'uid() is it, actor() the person');
SELECT is(vrm.team_role() || vrm.may_write(), 'admintrue', 'the role is told');
SELECT is(vrm.account_problem(), NULL, 'nothing is in the way');
SET LOCAL ROLE authenticated;
SELECT vrm.create_agent('reception') AS agent \gset
SELECT is((SELECT count(*) FROM vrm.agents WHERE user_id = :'acme'), 1::bigint, 'what is made is its own');
SELECT is(vrm.uid(), :'acme'::uuid, 'SET ROLE changes nothing');
RESET ROLE;
SELECT is(vrm.act_as(NULL), NULL, 'they act for themselves again');
SELECT is(vrm.uid(), :'alice'::uuid, 'as before');
SELECT is(vrm.team_role(), NULL, 'without a role');
SELECT throws_ok(format('SELECT vrm.act_as(%L)', :'evil'), '42501', 'not a member of the organisation',
                 'others'' organisations are not for them');
SELECT throws_ok(format('SELECT vrm.act_as(%L)', vrm.uuid7()), '42501', 'not a member of the organisation',
                 'nor are those that do not exist, by the same words');
SELECT throws_ok(format('SELECT vrm.act_as(%L)', :'alice'), '42501', NULL, 'nor people');
SELECT vrm.act_as(:'acme') \g /dev/null
SELECT throws_ok(format('SELECT vrm.act_as(%L)', :'evil'), '42501', NULL,
                 'while acting for one, another asks for the person''s membership');
SELECT is(vrm.uid(), :'acme'::uuid, 'and a refusal leaves things as they were');
SELECT pg_temp.claims(:'bob') \g /dev/null
SELECT is(vrm.uid(), :'bob'::uuid, 'whoever signs in afterwards acts for themselves');
SELECT is(vrm.team_role(), NULL, 'without a role');
SELECT pg_temp.claims(NULL) \g /dev/null
SELECT is(vrm.uid(), NULL, 'nobody is nobody');
SELECT throws_ok(format('SELECT vrm.act_as(%L)', :'acme'), '28000', NULL, 'and acts for nobody');
ROLLBACK TO SAVEPOINT acting;
SELECT is(vrm.uid(), :'alice'::uuid, 'a savepoint undoes it');
SELECT is(pg_temp.as_user(:'alice', format('SET vrm.acting = ''%s %s''', :'alice', :'acme')), '42501',
          'nobody sets the setting');
SELECT is(pg_temp.as_user(:'alice', format('SELECT set_config(''vrm.acting'', ''%s %s'', true)', :'bob', :'acme')),
          '42501', 'by whatever way');
SELECT throws_ok('SET LOCAL vrm.acting = ''nonsense''', '22P02', NULL, 'nor to nonsense');

-- claims --------------------------------------------------------------------------------------------

SELECT is(pg_temp.as_member(:'alice', :'acme', 'SELECT vrm.uid()'), :'acme', 'a claim chooses, too');
SELECT is(pg_temp.as_member(:'alice', :'acme', 'SELECT vrm.act_as(NULL) IS NULL AND vrm.uid() = vrm.actor()'), 'true',
          'and act_as() chooses over it');
SELECT is(pg_temp.as_member(:'bob', :'acme', 'SELECT vrm.uid()'), NULL, 'a forged claim makes nobody of them');
SELECT is(pg_temp.as_member(:'bob', :'acme', 'SELECT vrm.actor()'), :'bob', 'who they are, it leaves');
SELECT is(pg_temp.as_member(:'bob', :'acme', 'SELECT vrm.account_problem()'),
          'the membership in the organisation has ended', 'and says so');
SELECT is(pg_temp.as_member(:'bob', :'acme', statement), result, 'with a forged claim: ' || statement)
FROM (VALUES ('SELECT count(*) FROM vrm.agents', '0'), ('SELECT vrm.create_agent(''x'')', '42501'),
             ('INSERT INTO vrm.agents (agent_id) VALUES (''x'')', '42501'),
             ('SELECT count(*) FROM vrm.members()', '42501'), ('SELECT vrm.invite(''x@example.org'', ''viewer'')',
          '42501'),
             ('SELECT vrm.team_role()', NULL), ('SELECT vrm.may_write()', 'false'),
             ('SELECT vrm.set_member_role(vrm.actor(), ''admin'')', '42501'),
             ('SELECT vrm.remove_member(vrm.actor())', '42501'),
             ('SELECT count(*) FROM vrm.user_profiles WHERE is_organisation', '0'),
             ('SELECT count(*) FROM vrm.member_activity()', '42501'),
             ('SELECT vrm.delete_account()', '42501'), ('SELECT count(*) FROM vrm.export_user_data()', '42501'),
             ('SELECT count(*) FROM vrm.follow_events()', '42501')) AS tried (statement, result);
SELECT is(pg_temp.as_member(:'alice', :'bob', 'SELECT vrm.uid()'), NULL, 'nobody acts for a person');
SELECT set_config('request.jwt.claims', format('{"sub": "%s", "act_as": "Acme"}', :'alice'), true) \g /dev/null
SELECT is(vrm.uid(), NULL, 'a claim that cannot be read makes nobody');
SELECT is(pg_temp.as_user(:'acme', 'SELECT vrm.account_problem()'), 'an organisation does not sign in',
          'nobody is an organisation');
SELECT is(pg_temp.as_user(:'acme', 'SELECT count(*) FROM vrm.agents'), '0', 'who says so reads nothing');
SELECT is(pg_temp.as_user(:'acme', 'SELECT vrm.create_agent(''x'')'), '42501', 'and writes nothing');

SELECT * FROM finish();
ROLLBACK;
