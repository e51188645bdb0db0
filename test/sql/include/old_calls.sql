-- Calls of long ago, for retention: Alice's and Bob's, of every kind, and functions that look at them.
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob \gset
SELECT pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('reception')$$) AS agent \gset
SELECT pg_temp.as_user(:'bob', $$SELECT vrm.create_agent('sales')$$) AS bobs_agent \gset
SELECT array_agg(id) AS cases, to_jsonb(array_agg(id)) AS case_ids FROM vrm.test_cases WHERE user_id = :'alice' \gset

-- Calls of a user that ended some time ago.
CREATE FUNCTION pg_temp.calls(owner uuid, agent uuid, state text, ago interval, number int) RETURNS void LANGUAGE sql AS $$
    INSERT INTO vrm.test_runs (user_id, agent_id, test_case_ids, status, started_at, completed_at, results, error)
    SELECT owner, agent, (SELECT to_jsonb(array_agg(id)) FROM vrm.test_cases WHERE user_id = owner), state,
           now() - ago - interval '1 min', now() - ago,
           CASE i % 3 WHEN 0 THEN jsonb_build_object('transcript', repeat(md5(i::text), 400)) WHEN 1 THEN '{"a": [1.50, null]}' END,
           CASE WHEN state = 'failed' THEN 'line went dead' END
    FROM generate_series(1, number) AS i
$$;
CREATE FUNCTION pg_temp.live_rows(condition text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    EXECUTE format('SELECT md5(string_agg(r::text, E''\n'' ORDER BY id)) FROM vrm.test_runs r WHERE %s', condition) INTO result;
    RETURN result;
END
$$;
CREATE FUNCTION pg_temp.verified() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(DISTINCT ok || CASE WHEN ok THEN '' ELSE ': ' || detail END, ', ') FROM vrm.verify_archive()
$$;

SELECT pg_temp.calls(:'alice', :'agent', 'completed', '2 years 1 day', 7), pg_temp.calls(:'alice', :'agent', 'completed', '1 year 364 days', 3),
       pg_temp.calls(:'alice', :'agent', 'failed', '1 year 2 days', 5), pg_temp.calls(:'alice', :'agent', 'cancelled', '3 years', 1),
       pg_temp.calls(:'alice', :'agent', 'failed', '11 months', 2), pg_temp.calls(:'bob', :'bobs_agent', 'completed', '5 years', 2) \g /dev/null
INSERT INTO vrm.test_runs (user_id, status, started_at) VALUES (:'alice', 'running', '2001-01-01');
CREATE TEMP TABLE before AS SELECT * FROM vrm.test_runs;
CREATE TEMP TABLE cases_before AS SELECT * FROM vrm.test_run_cases;
