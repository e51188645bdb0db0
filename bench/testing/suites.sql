-- One run of a suite on each of two versions, and its report and comparison: the product's next to plain
-- SQL over the same calls, transcripts and verdicts.  Prints name|figure.
SET client_min_messages = warning;
\ir ../lib/cpu.sql
CREATE EXTENSION vrm;
SELECT format('ALTER DATABASE %I SET vrm.trusted_logins = %L', current_database(), current_user) \gexec
\connect
SET client_min_messages = warning;
INSERT INTO auth.users (id, email) VALUES ('018f0000-0000-7000-8000-0000000000a1', 'a@example.org');
SELECT set_config('request.jwt.claims', '{"sub": "018f0000-0000-7000-8000-0000000000a1", "role": "authenticated"}', false) \g /dev/null
CREATE FUNCTION as_owner() RETURNS void LANGUAGE sql AS $$
    SELECT set_config('request.jwt.claims', '{"sub": "018f0000-0000-7000-8000-0000000000a1", "role": "authenticated"}', true)
$$;
INSERT INTO vrm.agents (user_id, id, agent_id)
VALUES ('018f0000-0000-7000-8000-0000000000a1', '018f0000-0000-7000-8000-0000000000b1', 'reception');
UPDATE vrm.agents SET persona = 'second';
DELETE FROM vrm.test_cases;  -- those that come with an agent, which have no checks
INSERT INTO vrm.metrics (user_id, name, prompt)
VALUES ('018f0000-0000-7000-8000-0000000000a1', 'tone', 'Kind?') RETURNING id AS metric \gset
INSERT INTO vrm.test_cases (user_id, name, evaluator_metrics)
SELECT '018f0000-0000-7000-8000-0000000000a1', 'case ' || n, '{"metrics": [{"metric": "tone", "decides": true}],
       "checks": [{"check": "said", "text": "booked"}]}'
FROM generate_series(1, :cases) AS n;

SELECT setseed(0.5) \g /dev/null
BEGIN;
SELECT as_owner() \g /dev/null
SELECT vrm.start_suite(array_agg(id ORDER BY id), '018f0000-0000-7000-8000-0000000000b1', 1, :repeats) AS first,
       vrm.start_suite(array_agg(id ORDER BY id), '018f0000-0000-7000-8000-0000000000b1', 2, :repeats) AS second
FROM vrm.test_cases \gset
UPDATE vrm.test_runs SET status = 'running';
UPDATE vrm.test_runs r
SET status = 'completed', completed_at = now(), results = jsonb_build_object('duration', '1:00', 'transcript', (
    SELECT jsonb_agg(jsonb_build_object('speaker', CASE n % 2 WHEN 0 THEN 'Customer' ELSE 'Agent' END,
                                        'message', CASE WHEN n = 9 AND random() < 0.9 THEN 'It is booked, thank you.'
                                                        ELSE repeat('something is said ', 4) END,
                                        'time', '0:' || lpad((3 * n)::text, 2, '0'), 'ms', 3000 * n + (random() * 900)::integer)
                     ORDER BY n)
    FROM generate_series(0, 11) AS n WHERE r.id IS NOT NULL));
INSERT INTO vrm.metric_results (user_id, metric_id, run_id, judge, passed, score)
SELECT user_id, :'metric', run_id, judge, random() < 0.95, random()
FROM vrm.suite_calls, unnest('{gpt,claude,gemini}'::text[]) AS judge;
COMMIT;
VACUUM ANALYZE;

-- What somebody would write who has the calls, the transcripts and the verdicts.
CREATE TABLE place AS SELECT k.run_id, k.suite_run_id, c.case_id, c.name
FROM vrm.suite_calls k JOIN vrm.suite_run_cases c USING (user_id, suite_run_id, position);
CREATE UNIQUE INDEX ON place (suite_run_id, run_id);
ANALYZE place;
CREATE FUNCTION outcomes(suite_run uuid)
    RETURNS TABLE (case_id uuid, name text, runs bigint, passed bigint, answers double precision[]) LANGUAGE sql STABLE AS $$
    WITH call AS (
        SELECT p.case_id, p.name, p.run_id, r.results,
               EXISTS (SELECT FROM jsonb_array_elements(r.results -> 'transcript') AS t
                       WHERE t ->> 'speaker' = 'Agent' AND t ->> 'message' ILIKE '%booked%') AS said,
               (SELECT percentile_disc(0.95) WITHIN GROUP (ORDER BY ms - before)
                FROM (SELECT (t ->> 'ms')::double precision AS ms, t ->> 'speaker' AS speaker,
                             lag((t ->> 'ms')::double precision) OVER (ORDER BY n) AS before,
                             lag(t ->> 'speaker') OVER (ORDER BY n) AS asked
                      FROM jsonb_array_elements(r.results -> 'transcript') WITH ORDINALITY AS e (t, n)) AS turn
                WHERE speaker = 'Agent' AND asked = 'Customer') AS answer
        FROM place p JOIN vrm.test_runs r ON r.user_id = '018f0000-0000-7000-8000-0000000000a1' AND r.id = p.run_id
        WHERE p.suite_run_id = suite_run AND r.status = 'completed'
    ), verdict AS (
        SELECT m.run_id, count(*) FILTER (WHERE m.passed) * 2 > count(*) AS passed
        FROM vrm.metric_results m JOIN call c USING (run_id)
        WHERE m.user_id = '018f0000-0000-7000-8000-0000000000a1'
        GROUP BY m.run_id
    )
    SELECT c.case_id, c.name, count(*), count(*) FILTER (WHERE c.said AND v.passed), array_agg(c.answer)
    FROM call c JOIN verdict v USING (run_id)
    GROUP BY c.case_id, c.name
$$;
CREATE FUNCTION plain_report(suite_run uuid, k integer)
    RETURNS TABLE (name text, runs bigint, passed bigint, pass_at_k double precision, pass_hat_k double precision,
                   lower double precision, upper double precision) LANGUAGE sql STABLE AS $$
    SELECT o.name, o.runs, o.passed,
           1 - coalesce((SELECT CASE WHEN o.runs - o.passed < k THEN 0 ELSE exp(sum(ln(greatest(o.runs - o.passed - i, 1e-9)::float8 / (o.runs - i)))) END
                         FROM generate_series(0, k - 1) AS i), 0),
           (SELECT CASE WHEN o.passed < k THEN 0 ELSE exp(sum(ln(greatest(o.passed - i, 1e-9)::float8 / (o.runs - i)))) END
            FROM generate_series(0, k - 1) AS i),
           (p + z * z / (2 * n) - z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n),
           (p + z * z / (2 * n) + z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n)
    FROM outcomes(suite_run) AS o, LATERAL (SELECT o.passed::float8 / o.runs, o.runs::float8, 1.959963984540054::float8) AS w (p, n, z)
$$;
-- Fisher's test as a sum over the table's possible counts; Holm's method with window functions.
CREATE FUNCTION plain_comparison(first uuid, second uuid) RETURNS TABLE (name text, p double precision, adjusted double precision)
    LANGUAGE sql STABLE AS $$
    WITH fact AS MATERIALIZED (
        SELECT array_agg(s ORDER BY n) AS ln FROM (SELECT n, sum(ln(greatest(n, 1)::float8)) OVER (ORDER BY n) AS s FROM generate_series(0, 4000) AS n) AS f
    ), pair AS (
        SELECT a.name, a.passed AS ka, a.runs AS na, b.passed AS kb, b.runs AS nb
        FROM outcomes(first) AS a JOIN outcomes(second) AS b USING (case_id)
    ), chance AS (
        SELECT q.name, x, q.ka,
               exp(ln[na + 1] - ln[x + 1] - ln[na - x + 1] + ln[nb + 1] - ln[ka + kb - x + 1] - ln[nb - ka - kb + x + 1]
                   - ln[na + nb + 1] + ln[ka + kb + 1] + ln[na + nb - ka - kb + 1]) AS h
        FROM fact, pair q, generate_series(greatest(0, ka + kb - nb), least(na, ka + kb)) AS x
    ), test AS (
        SELECT c.name, least(1, sum(c.h) FILTER (WHERE c.h <= s.h * (1 + 1e-7))) AS p
        FROM chance c JOIN chance s ON s.name = c.name AND s.x = s.ka
        GROUP BY c.name
    ), ordered AS (
        SELECT t.name, t.p, least(1, t.p * (count(*) OVER () - row_number() OVER (ORDER BY t.p) + 1)) AS scaled FROM test t
    )
    SELECT o.name, o.p, max(o.scaled) OVER (ORDER BY o.p) FROM ordered o
$$;

CREATE FUNCTION measured(query text, rounds integer) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
    spent double precision[];
    began bigint;
BEGIN
    PERFORM as_owner();
    FOR i IN 0..rounds LOOP
        began := cpu();
        EXECUTE query;
        spent[i] := (cpu() - began) / 1e6;  -- the first warms caches
    END LOOP;
    RETURN (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY s) FROM unnest(spent[1:]) AS s);
END
$$;
SELECT name || '|' || measured(query, :rounds)
FROM (VALUES ('report', format('SELECT count(*), sum(pass_hat_k) FROM vrm.suite_report(%L)', :'first')),
             ('plain report', format('SELECT count(*), sum(pass_hat_k) FROM plain_report(%L, %s)', :'first', :repeats)),
             ('comparison', format('SELECT count(*), min(adjusted_p) FROM vrm.compare_versions(%L, 1, 2)', '018f0000-0000-7000-8000-0000000000b1')),
             ('plain comparison', format('SELECT count(*), min(adjusted) FROM plain_comparison(%L, %L)', :'first', :'second'))
     ) AS q (name, query);
-- the same answers
BEGIN;
SELECT as_owner() \g /dev/null
SELECT 'reports differ|' || count(*) FROM vrm.suite_report(:'first') r JOIN plain_report(:'first', :repeats) p ON p.name = r.case_name
WHERE (r.runs, r.passed) <> (p.runs, p.passed) OR abs(r.pass_at_k - p.pass_at_k) + abs(r.pass_hat_k - p.pass_hat_k) + abs(r.lower - p.lower) > 1e-6;
SELECT 'comparisons differ|' || count(*) FROM vrm.compare_versions('018f0000-0000-7000-8000-0000000000b1', 1, 2) c
JOIN plain_comparison(:'first', :'second') p ON p.name = c.case_name WHERE abs(c.p_value - p.p) + abs(c.adjusted_p - p.adjusted) > 1e-6;
COMMIT;
