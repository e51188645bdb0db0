-- Statistics of test runs, as SQL sees them; their values are looked at in test/core/analytics.
BEGIN;
SELECT plan(36);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice \gset

SELECT is(vrm.pass_at_k(5, 3, 2), 0.9::float8, 'pass@k: nine of ten pairs have a pass');
SELECT is(vrm.pass_hat_k(5, 3, 2), 0.3::float8, 'pass^k: three of ten pairs have two');
SELECT is((SELECT vrm.pass_at_k(count(*), count(*) FILTER (WHERE n < 3), 1) FROM generate_series(0, 9) AS n),
          0.3::float8,
          'counts go in as they are');
SELECT is(format('%s %s', round(lower::numeric, 4), round(upper::numeric, 4)), '0.2553 0.3662',
          'an interval has two ends')
FROM vrm.wilson_interval(81, 263, 0.95);
SELECT is(vrm.wilson_interval(5, 5), vrm.wilson_interval(5, 5, 0.95), 'its level is 0.95 unless said otherwise');
SELECT is(vrm.mcnemar_exact(1, 12), 0.00341796875::float8, 'pairs that differ');
SELECT is(round(vrm.fisher_exact(5, 5, 0, 5)::numeric, 6), 0.007937, 'rates that differ');
SELECT is(round(vrm.mann_whitney('{1,2,3,4}', '{5,6,7,8}')::numeric, 6), 0.028571, 'samples that differ');
SELECT is(vrm.holm_adjusted('{0.01, 0.04, 0.03, 0.005}'), '{0.03,0.06,0.06,0.02}'::float8[], 'a family of p-values');
SELECT is(vrm.holm_adjusted('{}'), '{}'::float8[], 'of none');
SELECT is(vrm.cohen_kappa('{yes,no,null,yes}', '{yes,no,no,null}'), 1::float8, 'two judges, where both have judged');
SELECT is(vrm.cohen_kappa('{a}', '{a}'), NULL, 'agreement by chance alone is no agreement');
SELECT is(round(vrm.krippendorff_alpha('{{1,2,3,3,2,1,4,1,2,null,null,null},{1,2,3,3,2,2,4,1,2,5,null,3},
    {null,3,3,3,2,3,4,2,2,5,1,null},{1,2,3,3,2,4,4,1,2,5,1,null}}', level)::numeric, 3), alpha, 'alpha: ' || level)
FROM (VALUES ('nominal', 0.743), ('ordinal', 0.815), ('interval', 0.849), ('ratio', 0.797)) AS l (level, alpha);
SELECT is(vrm.krippendorff_alpha('{}', 'nominal'), NULL, 'of no judge');
SELECT is(round(vrm.krippendorff_alpha('{{1e308,1e307},{-1e308,2e307}}', 'interval')::numeric, 12), -0.483353884094,
          'of ratings whose squares are no numbers');
SELECT is(vrm.repeats_needed(0.5, 0.75, 0.95, 0.9), 77::bigint, 'repeats for a difference');
SELECT is(vrm.repeats_needed(0.5, 0.75, 0.05, 0.9), 77::bigint, 'by confidence or by significance');
SELECT is(vrm.pass_at_k(NULL, 1, 1), NULL, 'nothing of nothing');

-- what is refused: SQLSTATE, message, DETAIL, and a HINT that runs
CREATE FUNCTION pg_temp.refusal(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    EXECUTE 'SELECT ' || call;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    EXECUTE substring(hint FROM 'SELECT .*;');
    RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''));
END
$$;
SELECT is(pg_temp.refusal(call), refusal, call)
FROM (VALUES
    ('vrm.pass_at_k(3, 4, 1)', '22023 | passed must be from 0 to 3 | Got 4.'),
    ('vrm.pass_hat_k(3, 2, 4)', '22023 | k must be from 1 to 3 | Got 4.'),
    ('vrm.pass_at_k(0, 0, 1)', '22023 | runs must be from 1 to 2000000000 | Got 0.'),
    ('vrm.pass_at_k(3, 2, 0)', '22023 | k must be from 1 to 3 | Got 0.'),
    ('vrm.wilson_interval(1, 2, 1)', '22023 | level must be between 0 and 1 | Got 1.'),
    ('vrm.wilson_interval(1, 2, ''nan'')', '22023 | level must be between 0 and 1 | Got nan.'),
    ('vrm.mcnemar_exact(-1, 2)', '22023 | only_a must be from 0 to 2000000000 | Got -1.'),
    ('vrm.fisher_exact(1, 2, 3, 2)', '22023 | passed_b must be from 0 to 2 | Got 3.'),
    ('vrm.holm_adjusted(''{0.5, 1.5}'')', '22023 | p-values must be from 0 to 1 | Got 1.5.'),
    ('vrm.holm_adjusted(''{0.5, null}'')', '22004 | p-values must not be null'),
    ('vrm.cohen_kappa(''{a}'', ''{a, b}'')',
     '22023 | both judges must have judged the same things | 1 judgements and 2.'),
    ('vrm.krippendorff_alpha(''{{1, 2}}'', ''nominally'')',
     '22023 | level must be nominal, ordinal, interval or ratio | Got "nominally".'),
    ('vrm.krippendorff_alpha(''{1, 2}'', ''ratio'')', '22023 | ratings must be an array of two dimensions | It has 1.'),
    ('vrm.repeats_needed(0.5, 0.5)',
     '22023 | p1 and p2 must differ | Both are 0.5: no number of runs tells them apart.')
    ) AS r (call, refusal);
SELECT is(pg_temp.as_user(:'alice', 'SELECT vrm.pass_at_k(2, 1, 1)'), '0.5', 'users may ask');

SELECT finish();
ROLLBACK;
