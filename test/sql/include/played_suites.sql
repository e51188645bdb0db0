-- Alice's test cases and metrics, and a function that plays a suite of them; Bob has a metric, too.
\ir people.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob \gset
SELECT pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('desk')$$) AS agent,
       pg_temp.as_user(:'bob', $$SELECT vrm.create_agent('sales')$$) AS bobs_agent \gset
CREATE FUNCTION pg_temp.of_alice(query text) RETURNS text LANGUAGE sql AS
    $$ SELECT pg_temp.as_user((SELECT id FROM auth.users WHERE email = 'alice@example.org'), query) $$;
SELECT pg_temp.of_alice($$INSERT INTO vrm.test_cases (name, evaluator_metrics)
    VALUES ('books', '{"checks": [{"check": "said", "text": "booked"}]}') RETURNING id$$) AS books,
       pg_temp.of_alice($$INSERT INTO vrm.test_cases (name) VALUES ('plain') RETURNING id$$) AS plain,
       pg_temp.of_alice($$INSERT INTO vrm.test_cases (name, evaluator_metrics)
    VALUES ('kind', '{"metrics": [{"metric": "tone", "decides": true, "threshold": 0.5}]}') RETURNING id$$) AS kind,
       pg_temp.of_alice($$INSERT INTO vrm.metrics (name, prompt) VALUES ('tone', 'Kind?') RETURNING id$$) AS tone,
       pg_temp.of_alice($$INSERT INTO vrm.metrics (name, prompt) VALUES ('facts', 'Right?') RETURNING id$$) AS facts,
       pg_temp.as_user(:'bob', $$INSERT INTO vrm.metrics (name, prompt) VALUES ('tone', 'x') RETURNING id$$)
           AS bobs_tone \gset

-- Runs a suite of cases; of "books" so many calls, the first ones, say what they should.
CREATE FUNCTION pg_temp.play(suite_run uuid, good integer) RETURNS void LANGUAGE sql AS $$
    SELECT pg_temp.of_alice('SELECT count(*) FROM vrm.claim_test_run(most => 1000)');
    SELECT pg_temp.of_alice(format('SELECT vrm.complete_test_run(%L, %L)', c.run_id, format(
        '{"duration": "1:00", "transcript": [{"speaker": "customer", "message": "hi", "time": "0:00", "ms": 0},
          {"speaker": "Agent", "message": "%s", "time": "0:01", "ms": %s}]}',
        CASE WHEN c.repeat <= good OR k.name <> 'books' THEN 'It is booked' ELSE 'No' END, 500 + 10 * c.repeat)))
    FROM vrm.suite_calls c JOIN vrm.suite_run_cases k USING (user_id, suite_run_id, position)
    WHERE c.suite_run_id = play.suite_run
$$;
