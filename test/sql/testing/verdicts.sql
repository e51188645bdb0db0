-- Verdicts: judges and people, who overrules whom, and how far they agree.
BEGIN;
SELECT plan(29);
\ir ../include/played_suites.sql

SELECT pg_temp.of_alice(format('SELECT vrm.start_suite(ARRAY[%L, %L]::uuid[], %L)', :'kind', :'plain', :'agent'))
    AS judged \gset
SELECT pg_temp.play(:'judged', 0) \g /dev/null
SELECT run_id AS run FROM vrm.suite_calls WHERE suite_run_id = :'judged' AND position = 1 \gset
SELECT run_id AS other FROM vrm.suite_calls WHERE suite_run_id = :'judged' AND position = 2 \gset
CREATE FUNCTION pg_temp.passed(run uuid) RETURNS boolean
    LANGUAGE sql AS $$ SELECT passed FROM vrm.suite_calls WHERE run_id = run $$;
CREATE FUNCTION pg_temp.verdict(run uuid, metric uuid, rest text) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.of_alice(format('SELECT vrm.record_verdict(%L, %L, %s)', run, metric, rest)) $$;
SELECT is(pg_temp.passed(:'run'), NULL, 'a metric that decides is waited for');
SELECT is(pg_temp.of_alice(format('SELECT g FROM vrm.suite_gate(%L) AS g', :'judged')),
          '(f,"calls without a verdict: 1")', 'by the gate, too');
SELECT is(pg_temp.passed(:'other'), true, 'a call that nobody has to judge has passed');
SELECT is(pg_temp.verdict(:'run', :'tone', $$'gpt', score => 0.4, rationale => 'curt'$$), '', 'a judge gives a score');
SELECT is(pg_temp.passed(:'run'), false, 'below the threshold');
SELECT is((SELECT failed_metrics FROM vrm.suite_calls WHERE run_id = :'run'),
          '[{"check": "tone", "reason": "gpt: curt"}]', 'which is why it failed');
SELECT is(pg_temp.verdict(:'run', :'tone', $$'claude', score => 0.6$$) || pg_temp.verdict(:'run', :'tone',
    $$'gemini', true$$), '', 'two others think better of it');
SELECT is(pg_temp.passed(:'run'), true, 'the majority counts');
SELECT is(pg_temp.verdict(:'run', :'tone', $$'bob@example.org', false, rationale => 'rude'$$), '',
          'a person says something');
SELECT is(pg_temp.passed(:'run'), false, 'and overrules them all');
SELECT is((SELECT string_agg(judge, ' ' ORDER BY at, judge) FROM vrm.metric_results WHERE run_id = :'run'),
          'bob@example.org claude gemini gpt', 'all is kept');
SELECT is((SELECT count(*) FROM vrm.audit_log WHERE relation = 'vrm.metric_results' AND action = 'INSERT'), 4::bigint,
          'and audited');
SELECT is((SELECT count(*) FROM vrm.audit_log WHERE new::text LIKE '%rude%'), 0::bigint, 'but for the words');
SELECT is(pg_temp.error_of(:'alice',
                           format($$SELECT vrm.record_verdict(%L, %L, 'gpt', true)$$, :'run',
                                  :'tone')) LIKE '23505 | judge "gpt" has already judged test run%', true,
          'a judge answers once');
SELECT is(pg_temp.passed(:'run'), false, 'and changes nothing by a second answer');
SELECT is(pg_temp.verdict(:'other', :'facts', $$'gpt', false$$), '', 'a metric that the case does not name');
SELECT is(pg_temp.passed(:'other'), false, 'decides where none is said to');
SELECT is(pg_temp.verdict(:'other', :'facts', $$'an auditor', true, is_person => true$$), '',
          'a person by another name');
SELECT is(pg_temp.passed(:'other'), true, 'overrules as well');
SELECT is(pg_temp.of_alice(format('SELECT pass_rate FROM vrm.metric_summary(%L)', :'facts')), '1.000',
          'in the summary of the metric, too');
SELECT is(pg_temp.verdict(:'run', :'tone', rest) || pg_temp.verdict(:'run', :'bobs_tone', $$'x', true$$),
          state || 'P0002', rest)
FROM (VALUES ($$'x'$$, '22023'), ($$'x', score => 'NaN'$$, '22023'), ($$NULL, true$$, '22023'),
      ($$'x', true, case_id => '018f0000-0000-7000-8000-0000000000a1'$$, 'P0002')) AS r (rest, state);
SELECT is(pg_temp.as_user(:'bob', format($$SELECT vrm.record_verdict(%L, %L, 'x', true)$$, :'run', :'bobs_tone')),
          'P0002', 'nobody judges calls of others');

-- what a verdict reads, while nobody has counted the rows yet
SELECT pg_stat_get_xact_numscans('vrm.metric_results_pkey'::regclass) AS before,
       (SELECT idx_tup_fetch FROM pg_stat_xact_all_tables WHERE relid = 'vrm.suite_run_cases'::regclass) AS cases \gset
SELECT pg_temp.verdict(:'other', :'facts', $$'claude', true$$) \g /dev/null
SELECT is(pg_stat_get_xact_numscans('vrm.metric_results_pkey'::regclass) - :before, 1::bigint,
          'what is said of other calls is not read, only whether the judge has answered before');
SELECT cmp_ok((SELECT idx_tup_fetch FROM pg_stat_xact_all_tables
               WHERE relid = 'vrm.suite_run_cases'::regclass) - :cases,
              '<=', 4::bigint, 'nor are the cases of other calls');

-- agreement: of four calls two judges agree on three, one is judged by one alone
SELECT pg_temp.of_alice(format('SELECT vrm.start_suite(ARRAY[%L]::uuid[], %L, repeats => 5)', :'plain', :'agent'))
    AS agreed \gset
SELECT pg_temp.play(:'agreed', 0) \g /dev/null
SELECT count(pg_temp.verdict(k.run_id, :'tone', format('%L, %L, %s', judge, substr(votes, repeat, 1) = 'y', repeat)))
FROM vrm.suite_calls k, (VALUES ('gpt', 'yynny'), ('claude', 'yyyn ')) AS j (judge, votes)
WHERE k.suite_run_id = :'agreed' AND substr(votes, repeat, 1) <> ' ' \g /dev/null
SELECT is(pg_temp.of_alice(format($$SELECT concat_ws(' ', metric, judges, calls, cohen_kappa,
                                                     round(krippendorff_alpha::numeric, 3), score_alpha)
    FROM vrm.judge_agreement(%L)$$, :'agreed')), 'tone {claude,gpt} 5 0.5 0.533 1',
    'how far judges agree beyond chance');
SELECT is(pg_temp.as_user(:'bob', format('SELECT vrm.judge_agreement(%L)', :'agreed')), 'P0002',
          'not of runs of others');

SELECT finish();
ROLLBACK;
