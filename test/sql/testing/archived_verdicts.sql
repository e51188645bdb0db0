-- What was said of calls outlives their way into the archive, and counts there: verdicts, reports, comparisons.
BEGIN;
SELECT plan(14);
\ir ../include/played_suites.sql
\ir ../include/retention_step.sql

SELECT pg_temp.of_alice(format('SELECT vrm.start_suite(ARRAY[%L, %L]::uuid[], %L, repeats => 3)', :'books', :'kind',
                               :'agent')) AS suite_run \gset
SELECT pg_temp.play(:'suite_run', 2) \g /dev/null
SELECT pg_temp.of_alice(format('SELECT vrm.start_test_run(%L, ARRAY[%L]::uuid[], 600)', :'agent', :'plain'))
           AS lone \gset
SELECT pg_temp.of_alice(format('SELECT vrm.complete_test_run(%L)', :'lone')) \g /dev/null
SELECT pg_temp.of_alice(format($$SELECT vrm.record_verdict(%L, %L, 'gpt', score => 0.9, rationale => 'kind words')$$,
                               k.run_id, :'tone'))
FROM vrm.suite_calls k JOIN vrm.suite_run_cases c USING (user_id, suite_run_id, position)
WHERE c.case_id = :'kind' AND k.repeat < 3 \g /dev/null
SELECT pg_temp.of_alice(format($$SELECT vrm.record_verdict(%L, %L, 'gpt', true)$$, :'lone', :'facts')) \g /dev/null
SELECT k.run_id AS waiting FROM vrm.suite_calls k JOIN vrm.suite_run_cases c USING (user_id, suite_run_id, position)
WHERE c.case_id = :'kind' AND k.repeat = 3 \gset

CREATE FUNCTION pg_temp.told() RETURNS TABLE (what text, said text) LANGUAGE plpgsql AS $$
DECLARE
    suite uuid := (SELECT id FROM vrm.suite_runs);
BEGIN
    RETURN QUERY VALUES
        ('report', pg_temp.of_alice(format('SELECT jsonb_agg(to_jsonb(r) ORDER BY r.case_name)::text'
                                           ' FROM vrm.suite_report(%L) AS r', suite))),
        ('gate', pg_temp.of_alice(format('SELECT g::text FROM vrm.suite_gate(%L) AS g', suite))),
        ('junit', pg_temp.of_alice(format('SELECT vrm.suite_junit(%L)::text', suite))),
        ('metrics', pg_temp.of_alice(format('SELECT vrm.metric_summary_json(%L)::text',
                                    (SELECT id FROM vrm.metrics WHERE name = 'tone' AND prompt = 'Kind?')))),
        ('verdicts', (SELECT jsonb_agg(to_jsonb(m) ORDER BY m.run_id, m.metric_id, m.judge)::text
                      FROM vrm.metric_results m));
END
$$;

-- Two years and more later.
UPDATE vrm.metric_results SET at = now() - interval '3 years';
UPDATE vrm.test_runs
SET started_at = started_at - interval '3 years', completed_at = completed_at - interval '3 years';
-- put anew, as what this transaction has locked on the way counts as busy
CREATE TEMP TABLE aged AS SELECT * FROM vrm.test_runs;
SET LOCAL session_replication_role = replica;
DELETE FROM vrm.test_runs;
INSERT INTO vrm.test_runs SELECT * FROM aged;
SET LOCAL session_replication_role = origin;
CREATE TEMP TABLE before AS SELECT * FROM pg_temp.told();
SELECT is((SELECT count(*) FROM before WHERE said IS NULL OR length(said) < 10), 0::bigint,
          'there is something to tell');
SELECT is(vrm.archive_old_test_runs(), 7::bigint, 'all calls go into the archive');
SELECT is(pg_temp.step('verdicts'), 0::bigint, 'what was said of them stays');
SELECT is(t.said, b.said, 'as it was: ' || t.what) FROM pg_temp.told() AS t JOIN before b USING (what);

-- and more may be said
SELECT is(pg_temp.of_alice(format($$SELECT vrm.record_verdict(%L, %L, 'ann@example.org', false, rationale => 'rude')$$,
                                  :'waiting', :'tone')), '', 'a person judges a call of the archive');
SELECT is((SELECT concat_ws(' ', k.passed, k.failed_metrics) FROM vrm.suite_calls k WHERE k.run_id = :'waiting'),
          'f [{"check": "tone", "reason": "ann@example.org: rude"}]', 'which counts in its suite at once');
SELECT is(pg_temp.of_alice(format($$SELECT concat_ws(' ', runs, passed) FROM vrm.suite_report(%L)
                                  WHERE case_name = 'kind'$$, :'suite_run')), '3 2', 'and in the report');
SELECT is(pg_temp.of_alice(format($$SELECT vrm.record_verdict(%L, %L, 'claude', true, case_id => %L)$$, :'lone',
                                  :'facts', :'plain')), '', 'by its case');
SELECT is((SELECT string_agg(DISTINCT m.case_id::text, ' ') FROM vrm.metric_results m WHERE m.run_id = :'lone'),
          :'plain', 'which a call that is archived is still known to have');
SELECT is(pg_temp.of_alice(format($$SELECT vrm.record_verdict(%L, %L, 'claude', true, case_id => %L)$$, :'lone',
                                  :'tone', :'books')), 'P0002', 'and no other');

SELECT finish();
ROLLBACK;
