-- Alice's suite of three cases, each twice, of which nothing has run yet; Bob has an agent and two cases, one shared.
\ir people.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob \gset
SELECT pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('desk', connection_details => '{"voice": "sarah"}')$$)
    AS agent,
       pg_temp.as_user(:'bob', $$SELECT vrm.create_agent('sales')$$) AS bobs_agent \gset
SELECT pg_temp.as_user(:'alice', $$INSERT INTO vrm.test_cases (name, user_persona, scenario, evaluator_metrics)
    VALUES ('greets', '{"mood": "calm"}', '{"goal": "hello"}', '{"checks": [{"check": "said", "text": "hello"}]}')
    RETURNING id$$) AS greets,
       pg_temp.as_user(:'alice', $$INSERT INTO vrm.test_cases (name) VALUES ('plain') RETURNING id$$) AS plain,
       pg_temp.as_user(:'bob', $$INSERT INTO vrm.test_cases (name, is_shared) VALUES ('shared', true) RETURNING id$$)
           AS shared,
       pg_temp.as_user(:'bob', $$INSERT INTO vrm.test_cases (name) VALUES ('private') RETURNING id$$) AS private \gset
CREATE FUNCTION pg_temp.of_alice(query text) RETURNS text LANGUAGE sql AS
    $$ SELECT pg_temp.as_user((SELECT id FROM auth.users WHERE email = 'alice@example.org'), query) $$;
SELECT pg_temp.of_alice(format('SELECT vrm.start_suite(ARRAY[%L, %L, %L]::uuid[], %L, repeats => 2)', :'greets',
                               :'plain', :'shared', :'agent')) AS suite_run \gset
