-- Versions of agents: who makes them, what calls know of them, and that nobody rewrites them.
BEGIN;
SELECT plan(33);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob \gset
SELECT pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('desk', connection_details => '{"voice": "sarah",
    "limits": {"turns": 5}}', persona => 'patient')$$) AS agent \gset
SELECT pg_temp.as_user(:'bob', $$SELECT vrm.create_agent('desk')$$) AS bobs_agent \gset
CREATE FUNCTION pg_temp.versions(agent uuid) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat_ws(' ', version, persona), ', ' ORDER BY version) FROM vrm.agent_versions
        WHERE agent_id = agent
$$;

-- who changes an agent, and how
SELECT is(pg_temp.versions(:'agent'), '1 patient', 'an agent begins as version 1');
SELECT is(pg_temp.as_user(:'alice', $$UPDATE vrm.agents SET persona = 'brisk' RETURNING persona$$), 'brisk',
          'an owner changes it');
SELECT is(pg_temp.versions(:'agent'), '1 patient, 2 brisk', 'which makes a version');
UPDATE vrm.agents SET persona = 'curt' WHERE id = :'agent';
SELECT is(pg_temp.versions(:'agent'), '1 patient, 2 brisk, 3 curt', 'so does a superuser''s change');
INSERT INTO vrm.agents (user_id, id, agent_id, persona) VALUES (:'alice', :'agent', 'desk', 'kind')
ON CONFLICT (user_id, id) DO UPDATE SET persona = excluded.persona;
SELECT is(pg_temp.versions(:'agent'), '1 patient, 2 brisk, 3 curt, 4 kind', 'and INSERT ... ON CONFLICT');
UPDATE vrm.agents SET persona = 'kind', agent_id = 'front desk', updated_at = now() WHERE id = :'agent';
SELECT is(pg_temp.versions(:'agent'), '1 patient, 2 brisk, 3 curt, 4 kind',
          'a new name is no new version, nor is the same again');
SELECT is(pg_temp.as_user(:'alice',
                          $$INSERT INTO vrm.agents (agent_id, persona) VALUES ('by hand', 'x') RETURNING id$$)
          IS NOT NULL, true,
          'an agent that is inserted');
SELECT is((SELECT string_agg(v.version::text, ',') FROM vrm.agent_versions v JOIN vrm.agents a ON a.id = v.agent_id
           WHERE a.agent_id = 'by hand'),
          '1', 'has a version, too');
CREATE FUNCTION pg_temp.embellish() RETURNS trigger
    LANGUAGE plpgsql AS $$ BEGIN NEW.scenario := 'embellished'; RETURN NEW; END $$;
CREATE TRIGGER a_dbas_own BEFORE UPDATE ON vrm.agents FOR EACH ROW EXECUTE FUNCTION pg_temp.embellish();
UPDATE vrm.agents SET agent_id = 'desk' WHERE id = :'agent';
SELECT is((SELECT scenario FROM vrm.agent_versions WHERE agent_id = :'agent' AND version = 5), 'embellished',
          'what another trigger changes counts as well');
DROP TRIGGER a_dbas_own ON vrm.agents;

-- a version stays as it was
SELECT is(pg_temp.as_user(:'alice', $$UPDATE vrm.agent_versions SET persona = 'x'$$), '42501',
          'owners cannot change versions');
SELECT is(pg_temp.as_user(:'alice', $$DELETE FROM vrm.agent_versions$$), '42501', 'nor delete them');
SELECT is(pg_temp.as_user(:'alice',
                          format($$INSERT INTO vrm.agent_versions (user_id, agent_id, version) VALUES (%L, %L, 9)$$,
                                 :'alice', :'agent')),
          '42501', 'nor make them up');
SELECT is(pg_temp.as_user(:'bob', $$SELECT count(*) FROM vrm.agent_versions$$), '1',
          'everybody sees the own ones only');
SELECT throws_ok($$UPDATE vrm.agent_versions SET persona = 'x'$$, '55000', NULL, 'not even a superuser changes one');
SELECT throws_ok($$DELETE FROM vrm.agent_versions$$, '55000', NULL, 'or deletes one whose agent is there');
DELETE FROM vrm.agents WHERE agent_id = 'by hand';
SELECT is((SELECT count(*) FROM vrm.agent_versions v
           WHERE NOT EXISTS (SELECT FROM vrm.agents a WHERE a.id = v.agent_id)), 0::bigint,
          'they go with their agent');

-- calls
SELECT pg_temp.as_user(:'alice', format('SELECT vrm.start_test_run(%L)', :'agent')) AS run \gset
SELECT is((SELECT agent_version FROM vrm.test_runs WHERE id = :'run'), 5, 'a call knows the version that it runs with');
SELECT pg_temp.as_user(:'alice',
                       format($$INSERT INTO vrm.test_runs (agent_id, status) VALUES (%L, 'queued') RETURNING id$$,
                              :'agent')) AS queued \gset
SELECT is((SELECT agent_version FROM vrm.test_runs WHERE id = :'queued'), NULL, 'a queued one does not yet');
UPDATE vrm.agents SET persona = 'loud' WHERE id = :'agent';
SELECT pg_temp.as_user(:'alice', format('SELECT vrm.begin_test_run(%L)', :'queued')) AS begun \gset
SELECT is((SELECT agent_version FROM vrm.test_runs WHERE id = :'queued'), 6, 'but when it begins');
SELECT is((SELECT agent_version FROM vrm.test_runs WHERE id = :'run'), 5, 'one that runs already keeps its own');
SELECT is(pg_temp.as_user(:'alice',
                          format($$INSERT INTO vrm.test_runs (agent_id, status, agent_version)
                                 VALUES (%L, 'running', 1)$$, :'agent')),
          '42501', 'nobody claims another version');
INSERT INTO vrm.test_runs (user_id, agent_id, status, started_at, completed_at)
VALUES (:'alice', :'agent', 'completed', now() - interval '1 year', now()) RETURNING id AS past \gset
SELECT is((SELECT agent_version FROM vrm.test_runs WHERE id = :'past'), NULL, 'a call of before has no version');

-- what differs
SELECT is(pg_temp.as_user(:'alice',
                          format('SELECT string_agg(d::text, '' '') FROM vrm.agent_diff(%L, 1, 2) AS d', :'agent')),
          '(/persona,"""patient""","""brisk""")', 'agent_diff names the place, before and after');
UPDATE vrm.agents SET connection_details = '{"voice": "sarah", "limits": {"turns": 6}, "a/b": 1}',
    persona = 'loud' WHERE id = :'agent';
SELECT is(pg_temp.as_user(:'alice',
                          format('SELECT string_agg(d::text, '' '') FROM vrm.agent_diff(%L, 6, 7) AS d', :'agent')),
          '(/connection_details/a~1b,,1) (/connection_details/limits/turns,5,6)', 'within connection_details, too');
SELECT is(pg_temp.as_user(:'alice', format('SELECT count(*) FROM vrm.agent_diff(%L, 3, 3)', :'agent')), '0',
          'a version is itself');
SELECT is(pg_temp.error_of(:'alice',
                           format('SELECT vrm.agent_diff(%L, 1, 99)',
                                  :'agent')) LIKE 'P0002 | agent "%" has no version 99 | SELECT version%', true,
          'a version that is not there');
SELECT is(pg_temp.as_user(:'bob', format('SELECT vrm.agent_diff(%L, 1, 2)', :'agent')), 'P0002',
          'an agent of somebody else is not there');

-- going back
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.restore_agent_version(%L, 1)', :'agent')), '8',
          'going back makes a version');
SELECT is((SELECT persona FROM vrm.agents WHERE id = :'agent'), 'patient', 'and the agent is what it was');
SELECT is(pg_temp.as_user(:'alice', format('SELECT count(*) FROM vrm.agent_diff(%L, 1, 8)', :'agent')), '0',
          'altogether');
SELECT is(pg_temp.as_user(:'bob', format('SELECT vrm.restore_agent_version(%L, 1)', :'agent')), 'P0002',
          'of one''s own agents');

-- where versions are seen
SELECT pg_temp.as_user(:'alice', format('SELECT vrm.start_test_run(%L, outbound_call_params => %L)', :'agent',
                                        '{"to": "noor"}')) \g /dev/null
SELECT is(pg_temp.as_user(:'alice', $$SELECT concat_ws(' ',
              (SELECT max(agent_version) FROM vrm.call_history()),
              (SELECT agent_version FROM vrm.call_history('{"customer": "noor"}')),
              (SELECT max(agent_version) FROM vrm.all_test_runs), (SELECT max(agent_version) FROM vrm.calls))$$),
          '8 8 8 8', 'in the history and in what is searched');

SELECT throws_ok('TRUNCATE vrm.agent_versions', '55000', 'versions of agents cannot be emptied',
                 'nobody empties them, who owns the table neither');

SELECT finish();
ROLLBACK;
