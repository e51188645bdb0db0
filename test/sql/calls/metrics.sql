-- Metrics that users define: theirs alone.
BEGIN;
SELECT plan(39);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob \gset

SELECT is(pg_temp.as_user(:'alice',
                          $$INSERT INTO vrm.metrics (name, prompt) VALUES ('politeness', 'Was the agent polite?')
                          RETURNING user_id$$),
          :'alice', 'a metric belongs to who defines it');
SELECT is(pg_temp.as_user(:'alice', $$UPDATE vrm.metrics SET prompt = 'Was the agent kind?' RETURNING prompt$$),
          'Was the agent kind?', 'who changes it');
SELECT is(pg_temp.as_user(:'bob', 'SELECT count(*) FROM vrm.metrics'), '0', 'nobody else sees it');
SELECT is(pg_temp.as_user(:'bob', $$DELETE FROM vrm.metrics RETURNING name$$), NULL, 'or deletes it');
SELECT is(pg_temp.as_user(:'alice', format($$INSERT INTO vrm.metrics (user_id, id, name, prompt, created_at, updated_at)
              VALUES (DEFAULT, DEFAULT, 'saved', %L, DEFAULT, DEFAULT) ON CONFLICT (user_id, name)
              DO UPDATE SET user_id = excluded.user_id, name = excluded.name, prompt = excluded.prompt
              RETURNING prompt$$, prompt)), prompt, 'a metric is saved by its name: ' || prompt)
FROM unnest(ARRAY['First?', 'Second?']) AS prompt;
DELETE FROM vrm.metrics WHERE name = 'saved';
SELECT is(pg_temp.as_user(:'alice', $$INSERT INTO vrm.metrics (name) VALUES ('x')$$), '23502',
          'a metric needs a prompt');
SELECT is(pg_temp.as_user(:'alice', $$INSERT INTO vrm.metrics (name, prompt) VALUES ('', 'x')$$), '23514',
          'and a name');
SELECT is(pg_temp.as_user(:'alice',
                          format($$INSERT INTO vrm.metrics (user_id, name, prompt) VALUES (%L, 'x', 'y')$$, :'bob')),
          '42501',
          'nobody defines one for somebody else');

-- results ---------------------------------------------------------------------------------------

SELECT id AS metric FROM vrm.metrics \gset
SELECT pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('reception')$$) AS agent,
    pg_temp.as_user(:'bob', $$SELECT vrm.create_agent('sales')$$) AS bobs_agent \gset
CREATE TEMP TABLE run AS SELECT n, pg_temp.as_user(:'alice', format('SELECT vrm.start_test_run(%L)', :'agent')) AS id
    FROM generate_series(1, 10) AS n;
SELECT pg_temp.as_user(:'bob', format('SELECT vrm.start_test_run(%L)', :'bobs_agent')) AS bobs_run \gset
SELECT id AS run FROM run WHERE n = 1 \gset
CREATE FUNCTION pg_temp.of_alice(query text) RETURNS text LANGUAGE sql AS
    $$ SELECT pg_temp.as_user((SELECT id FROM auth.users WHERE email = 'alice@example.org'), query) $$;
SELECT is(pg_temp.of_alice(format('SELECT %s FROM vrm.metric_summary(%L)', figure, :'metric')), value,
          'no results: ' || figure)
FROM (VALUES ('results', '0'), ('mean', NULL), ('pass_rate', NULL), ('distribution', NULL)) AS f (figure, value);
SELECT is(pg_temp.of_alice(format('SELECT vrm.record_metric_result(%L, %L, 0, true)', :'metric', :'run')), '',
          'a result is recorded');
SELECT is(pg_temp.of_alice(format('SELECT vrm.record_metric_result(%L, %L, %s, %L, ''because'')', :'metric', id, n,
                                  n > 4)), '', 'result ' || n) FROM run WHERE n IN (1, 10);
SELECT count(pg_temp.of_alice(format('SELECT vrm.record_metric_result(%L, %L, %s, %L)', :'metric', id, n, n > 4)))
    FROM run WHERE n NOT IN (1, 10) \g /dev/null
UPDATE vrm.metric_results m SET at = '2026-01-01'::timestamptz + n * interval '12 hours' FROM run
    WHERE run.id::uuid = m.run_id;
SELECT is(pg_temp.of_alice(format('SELECT %s FROM vrm.metric_summary(%L)', figure, :'metric')), value,
          'summary: ' || figure)
FROM (VALUES ('results', '10'), ('mean', '5.5'), ('median', '5.5'), ('lowest', '1'), ('highest', '10'),
      ('pass_rate', '0.600'),
             ('distribution', '[1, 1, 1, 1, 1, 1, 1, 1, 1, 1]'), ('round(stddev::numeric, 6)', '3.027650'),
             ('round(trend_per_day::numeric, 6)', '2.000000')) AS f (figure, value);
-- another metric, of which all scores are the same, one result has no verdict and one no score
SELECT pg_temp.of_alice($$INSERT INTO vrm.metrics (name, prompt) VALUES ('speed', 'Fast?') RETURNING id$$)
    AS speed \gset
SELECT count(pg_temp.of_alice(format('SELECT vrm.record_metric_result(%L, %L, %s)', :'speed', id, result))) FROM run
    JOIN (VALUES (1, '5, true'), (2, '5'), (3, 'NULL, true')) AS r (n, result) USING (n) \g /dev/null
SELECT is(pg_temp.of_alice(format('SELECT concat_ws('' '', results, mean, pass_rate, distribution) FROM '
                                  'vrm.metric_summary(%L)', :'speed')), '3 5 1.000 [2, 0, 0, 0, 0, 0, 0, 0, 0, 0]',
          'what is not known counts for nothing');
SELECT is(pg_temp.of_alice(format('SELECT results FROM vrm.metric_summary(%L)', :'metric')), '10',
          'each metric has its own results');
UPDATE vrm.metric_results SET at = '2026-02-01' WHERE metric_id = :'speed';
SELECT pg_temp.of_alice(format('SELECT vrm.record_metric_result(%L, %L, 2, false, ''on second thoughts'')', :'speed',
                               :'run')) \g /dev/null
SELECT is((SELECT concat_ws(' ', score, passed, rationale, at = now()) FROM vrm.metric_results
           WHERE metric_id = :'speed' AND run_id = :'run'), '2 f on second thoughts t',
          'a later word replaces an earlier one');
SELECT is(pg_temp.of_alice(format('SELECT results FROM vrm.metric_summary(%L, ''2026-01-02'', ''2026-01-03'')',
                                  :'metric')), '2', 'of a time');
SELECT is(pg_temp.of_alice(format('SELECT vrm.metric_summary_json(%L) ->> ''mean''', :'metric')), '5.5',
          'as a document');
SELECT is(pg_temp.as_user(:'bob', format('SELECT results FROM vrm.metric_summary(%L)', :'metric')), '0',
          'nobody else sees them');
SELECT is(pg_temp.as_user(:'bob', format('SELECT vrm.record_metric_result(%L, %L, 1)', :'metric', :'bobs_run')),
          'P0002', 'or adds to them');
SELECT is(pg_temp.of_alice(format('SELECT vrm.record_metric_result(%L, %s)', :'metric', bad)), state,
          'no result: ' || bad)
FROM (VALUES (quote_literal(:'bobs_run') || ', 1', 'P0002'), (quote_literal(:'run'), '22023'),
      (quote_literal(:'run') || ', ''NaN''', '22023'),
             (quote_literal(:'run') || ', ''Infinity''', '22023'),
             (quote_literal(:'run') || ', ''-Infinity''', '22023'),
             (quote_literal(:'run') || ', 1, true, repeat(''x'', 20001)', '22023')) AS b (bad, state);
SELECT is(pg_temp.as_user(:'alice', $$DELETE FROM vrm.metrics WHERE name = 'politeness' RETURNING name$$),
          'politeness', 'its owner deletes it');

SELECT * FROM finish();
ROLLBACK;
