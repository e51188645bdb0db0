-- Agents and test cases: what an owner can do, and what the functions refuse.
BEGIN;
SELECT plan(53);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob \gset

-- creating an agent -----------------------------------------------------------------------------

SELECT pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('reception', 'voice',
    '{"voice": "sarah", "systemPrompt": "You are a helpful assistant", "region": "eu"}', 'inbound',
    'a patient receptionist', 'takes bookings')$$) AS agent \gset
SELECT matches(:'agent'::text, '^[0-9a-f]{8}-[0-9a-f]{4}-7', 'create_agent gives the id of the agent, version 7');
SELECT is(pg_temp.as_user(:'alice', $$SELECT row_to_json(a)::jsonb - 'id' - 'user_id' - 'created_at' - 'updated_at'
                                      FROM vrm.agents a$$)::jsonb,
          '{"agent_id": "reception", "agent_type": "voice", "direction": "inbound", "deleted_at": null,
            "persona": "a patient receptionist", "scenario": "takes bookings",
            "connection_details": {"voice": "sarah", "systemPrompt": "You are a helpful assistant", "region": "eu"}}',
          'with everything that was given');
SELECT is(pg_temp.as_user(:'alice', 'SELECT count(*) FROM vrm.test_cases WHERE NOT is_shared'), '3',
          'and its default test cases');
SELECT is(pg_temp.as_user(:'alice', $$SELECT bool_and(name LIKE 'reception: %') FROM vrm.test_cases$$), 'true',
          'which carry the agent''s name');

UPDATE vrm.test_case_templates SET enabled = false WHERE name LIKE '%impatient%';
SELECT pg_temp.as_user(:'bob', $$SELECT vrm.create_agent('reception')$$) AS bobs_agent \gset
SELECT is(pg_temp.as_user(:'bob', 'SELECT count(*) FROM vrm.test_cases'), '2',
          'a template that the DBA has disabled gives no test case');
SELECT matches(:'bobs_agent'::text, '^[0-9a-f]{8}-', 'two users may give agents the same name');
SELECT is(pg_temp.error_of(:'alice', $$SELECT vrm.create_agent('reception')$$),
          '23505 | there is an agent of this name already | Agent "reception". | SELECT id, agent_id FROM vrm.agents'
          ' WHERE deleted_at IS NULL;', 'one user may not');
SELECT is(pg_temp.as_user(:'alice', 'SELECT count(*) FROM vrm.test_cases'), '3', 'and nothing is half-done then');

SELECT is(pg_temp.error_of(:'alice', $$SELECT vrm.create_agent('a', connection_details => '{"voice": 7}')$$)
              LIKE '22023 | connection_details are not valid | %voice%| SELECT vrm.connection_details_error%', true,
          'the error of bad connection_details names the key');
SELECT is(pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('a', connection_details => '[]')$$), '22023',
          'connection_details must be an object');
SELECT is(pg_temp.as_user(:'alice', 'SELECT vrm.create_agent(NULL)'), '22023', 'an agent needs a name');
SELECT is(pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('')$$), '22023', 'that is not empty');
SELECT is(pg_temp.as_user(:'alice', $$SELECT vrm.create_agent(repeat('x', 201))$$), '22023', 'nor too long');
SELECT is(pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('b', persona => repeat('x', 20001))$$), '22023',
          'nor may the persona be');
SELECT is(pg_temp.as_user(:'alice', $$SELECT length(vrm.create_agent('c', persona => repeat('x', 20000))::text)$$),
          '36',
          'as long as the limit is fine');
SELECT is(pg_temp.as_user(NULL, $$SELECT vrm.create_agent('a')$$), '28000', 'nobody cannot create an agent');
SELECT is(pg_temp.as_anon($$SELECT vrm.create_agent('a')$$), '42501', 'anon cannot even call the function');

-- what owners do with their rows ----------------------------------------------------------------

SELECT is(pg_temp.as_user(:'alice',
                          $$UPDATE vrm.agents SET persona = 'brisk' WHERE agent_id = 'reception' RETURNING persona$$),
          'brisk', 'an owner changes an agent');
SELECT is(pg_temp.as_user(:'alice', $$UPDATE vrm.agents SET connection_details = '{"voice": []}'$$), '23514',
          'but not into one whose connection_details are bad');
SELECT is(pg_temp.as_user(:'alice',
                          $$INSERT INTO vrm.test_cases (name, scenario) VALUES ('mine', '{}') RETURNING user_id$$),
          :'alice', 'a test case belongs to who inserts it');
SELECT is(pg_temp.as_user(:'alice',
                          $$UPDATE vrm.test_cases SET is_shared = true WHERE name = 'mine' RETURNING is_shared$$),
          'true', 'and may be shared');
SELECT is(pg_temp.as_user(:'bob', $$SELECT count(*) FROM vrm.test_cases WHERE name = 'mine'$$), '1',
          'then everybody reads it');
SELECT is(pg_temp.as_user(:'bob', $$UPDATE vrm.test_cases SET name = 'his' WHERE name = 'mine' RETURNING name$$), NULL,
          'but only the owner changes it');
SELECT is(pg_temp.as_user(:'bob', $$DELETE FROM vrm.test_cases WHERE name = 'mine' RETURNING name$$), NULL,
          'or deletes it');

UPDATE vrm.agents SET updated_at = '2000-01-01' WHERE id = :'agent';
SELECT is((SELECT updated_at FROM vrm.agents WHERE id = :'agent'), now(), 'updated_at follows every change');

-- agents by INSERT ------------------------------------------------------------------------------

SELECT pg_temp.as_user(:'bob', 'DELETE FROM vrm.test_cases RETURNING id') \g /dev/null
SELECT pg_temp.as_user(:'bob', $$INSERT INTO vrm.agents (agent_id) VALUES ('posted') RETURNING id$$) \g /dev/null
SELECT is(pg_temp.as_user(:'bob',
                          $$SELECT count(*) FROM vrm.test_cases WHERE name LIKE 'posted: %' AND NOT is_shared$$), '2',
          'an INSERT of an agent makes its default test cases');
SELECT pg_temp.as_user(:'bob', $$SELECT vrm.create_agent('made')$$) \g /dev/null
SELECT is(pg_temp.as_user(:'bob', $$SELECT count(*) FROM vrm.test_cases WHERE name LIKE 'made: %'$$), '2',
          'and create_agent makes them once');
SELECT is(pg_temp.as_user(:'bob', $$SELECT vrm_private.make_default_test_cases()$$), '42501',
          'nobody calls the trigger');

-- agents saved by name --------------------------------------------------------------------------

CREATE FUNCTION pg_temp.save(who uuid, name text, persona text) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.as_user(who, format('INSERT INTO vrm.agents (agent_id, persona) VALUES (%L, %L)
        ON CONFLICT (user_id, agent_id) DO UPDATE SET agent_id = excluded.agent_id, persona = excluded.persona
        RETURNING id', name, persona))
$$;
SELECT pg_temp.save(:'bob', 'saved', 'patient') AS saved \gset
SELECT matches(:'saved'::text, '^[0-9a-f]{8}-', 'ON CONFLICT inserts an agent');
SELECT is(pg_temp.save(:'bob', 'saved', 'brisk'), :'saved', 'then changes it');
SELECT is(pg_temp.as_user(:'bob', $$SELECT persona FROM vrm.agents WHERE agent_id = 'saved'$$), 'brisk',
          'as was asked');
SELECT is(pg_temp.as_user(:'bob', $$SELECT count(*) FROM vrm.test_cases WHERE name LIKE 'saved: %'$$), '2',
          'its test cases are made once');
SELECT isnt(pg_temp.save(:'alice', 'saved', 'x'), :'saved'::text, 'somebody else has an agent of that name apart');
SELECT pg_temp.as_user(:'bob', format('SELECT vrm.delete_agent(%L)', :'saved')) \g /dev/null
SELECT pg_temp.save(:'bob', 'saved', 'new') AS second \gset
SELECT isnt(:'second'::text, :'saved'::text, 'a deleted agent is not changed');
SELECT pg_temp.as_user(:'bob', format('SELECT vrm.delete_agent(%L)', :'second')) \g /dev/null
SELECT isnt(pg_temp.as_user(:'bob', $$SELECT vrm.create_agent('saved')$$), '23505', 'its name is free');
SELECT is((SELECT string_agg(agent_id, ', ' ORDER BY id) FROM vrm.agents WHERE user_id = :'bob'
           AND agent_id LIKE 'saved%'),
          'saved (deleted), saved (deleted 2), saved', 'and it says that it is deleted');
SELECT is(pg_temp.as_user(:'bob', $$SELECT count(*) FROM vrm.test_cases WHERE name LIKE 'saved: %'$$), '2',
          'who comes after it has the test cases that are there');
SELECT is(pg_temp.as_user(:'bob', format('SELECT vrm.create_agent(%L) IS NOT NULL', repeat('x', 200))), 'true',
          'a name may be long');
SELECT is(pg_temp.as_user(:'bob', $$SELECT count(*) FROM vrm.test_cases WHERE name LIKE 'xxx%: %'$$), '2',
          'without cases losing theirs');

-- As drizzle sends it: every column by name, and the owner in what is set.
SELECT is(pg_temp.as_user(:'bob', format($$INSERT INTO vrm.agents (user_id, id, agent_id, agent_type,
              connection_details, direction, persona, scenario, created_at, updated_at, deleted_at)
              VALUES (%L, default, 'mapped', default, default, default, %L, default, default, default, default)
              ON CONFLICT (user_id, agent_id) DO UPDATE SET user_id = excluded.user_id, persona = excluded.persona
              RETURNING persona$$, :'bob', persona)), persona, 'a mapper of objects saves an agent that is ' || persona)
FROM unnest(ARRAY['new', 'known']) AS persona;
SELECT is(pg_temp.as_user(:'bob', $$SELECT count(*) FROM vrm.test_cases WHERE name LIKE 'mapped: %'$$), '2',
          'which has its test cases');
SELECT is(pg_temp.as_user(:'bob', format($$INSERT INTO vrm.test_cases (user_id, id, name, user_persona, created_at)
              VALUES (DEFAULT, DEFAULT, 'late', %L, DEFAULT) ON CONFLICT (user_id, name)
              DO UPDATE SET user_id = excluded.user_id, user_persona = excluded.user_persona
              RETURNING user_persona ->> 'mood'$$, format('{"mood": "%s"}', mood))), mood, 'and a test case: ' || mood)
FROM unnest(ARRAY['calm', 'angry']) AS mood;
SELECT is(pg_temp.as_user(:'alice', $$INSERT INTO vrm.test_cases (name) VALUES ('late') RETURNING name$$), 'late',
          'names are each owner''s own');
SELECT is(pg_temp.as_user(:'bob', $$INSERT INTO vrm.test_cases (name) VALUES ('late')$$), '23505',
          'where they are one''s');
SELECT is(pg_temp.as_user(:'bob', format('UPDATE vrm.%s SET user_id = %L', relation, :'alice')), '42501',
          'nothing is given away: ' || relation) FROM unnest(ARRAY['agents', 'test_cases']) AS relation;

-- hiding an agent -------------------------------------------------------------------------------

SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.start_test_run(%L) IS NOT NULL', :'agent')), 'true',
          'an agent takes calls');
SELECT is(pg_temp.as_user(:'bob', format('SELECT vrm.delete_agent(%L)', :'agent')), 'P0002',
          'an agent of somebody else looks like none');
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.delete_agent(%L)', :'agent')), '', 'its owner hides it');
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.start_test_run(%L)', :'agent')), 'P0002',
          'then it takes no more calls');
SELECT is(pg_temp.as_user(:'alice', $$SELECT agent FROM vrm.call_history()$$), 'reception (deleted)',
          'its history stays');

SELECT * FROM finish();
ROLLBACK;
