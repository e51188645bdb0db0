-- Statistics of test runs: rates, differences, agreement -----------------------------------------------

CREATE FUNCTION vrm.pass_at_k(runs bigint, passed bigint, k bigint) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_pass_at_k';
COMMENT ON FUNCTION vrm.pass_at_k(bigint, bigint, bigint) IS
    'probability that at least one of k runs passes, estimated without bias: 1 - C(runs - passed, k) / C(runs, k)';

CREATE FUNCTION vrm.pass_hat_k(runs bigint, passed bigint, k bigint) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_pass_hat_k';
COMMENT ON FUNCTION vrm.pass_hat_k(bigint, bigint, bigint) IS
    'probability that all of k runs pass, "pass^k", estimated without bias: C(passed, k) / C(runs, k)';

CREATE FUNCTION vrm.wilson_interval(
    passed bigint, runs bigint, level double precision DEFAULT 0.95,
    OUT lower double precision, OUT upper double precision
)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_wilson_interval';
COMMENT ON FUNCTION vrm.wilson_interval(bigint, bigint, double precision) IS
    'where the rate of passing lies with that confidence (Wilson''s score interval)';

CREATE FUNCTION vrm.mcnemar_exact(only_a bigint, only_b bigint) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_mcnemar_exact';
COMMENT ON FUNCTION vrm.mcnemar_exact(bigint, bigint) IS
    'two-sided p-value of pairs of which only the first, or only the second, passed (exact test of McNemar)';

CREATE FUNCTION vrm.fisher_exact(passed_a bigint, runs_a bigint, passed_b bigint, runs_b bigint)
    RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_fisher_exact';
COMMENT ON FUNCTION vrm.fisher_exact(bigint, bigint, bigint, bigint) IS
    'two-sided p-value of two rates of runs that are not paired (Fisher''s exact test)';

CREATE FUNCTION vrm.mann_whitney(a double precision[], b double precision[]) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_mann_whitney';
COMMENT ON FUNCTION vrm.mann_whitney(double precision[], double precision[]) IS
    'two-sided p-value of whether values of one sample tend to be larger (test of Mann and Whitney)';

CREATE FUNCTION vrm.holm_adjusted(p_values double precision[]) RETURNS double precision[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_holm_adjusted';
COMMENT ON FUNCTION vrm.holm_adjusted(double precision[]) IS
    'p-values of one family, adjusted by Holm''s method so that each can be compared with the level';

CREATE FUNCTION vrm.cohen_kappa(a text[], b text[]) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_cohen_kappa';
COMMENT ON FUNCTION vrm.cohen_kappa(text[], text[]) IS
    'agreement of two judges beyond chance; null where chance alone would have them agree';

CREATE FUNCTION vrm.krippendorff_alpha(ratings double precision[], level text) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_krippendorff_alpha';
COMMENT ON FUNCTION vrm.krippendorff_alpha(double precision[], text) IS
    'agreement of judges, a row each, beyond chance; level is nominal, ordinal, interval or ratio';

CREATE FUNCTION vrm.repeats_needed(
    p1 double precision, p2 double precision, level double precision DEFAULT 0.95,
    power double precision DEFAULT 0.8
) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_repeats_needed';
COMMENT ON FUNCTION vrm.repeats_needed(double precision, double precision, double precision, double precision) IS
    'runs of each of two versions that show the difference of two rates with that power (Fleiss, two-sided)';

GRANT EXECUTE ON FUNCTION
    vrm.pass_at_k(bigint, bigint, bigint), vrm.pass_hat_k(bigint, bigint, bigint),
    vrm.wilson_interval(bigint, bigint, double precision), vrm.mcnemar_exact(bigint, bigint),
    vrm.fisher_exact(bigint, bigint, bigint, bigint), vrm.mann_whitney(double precision[], double precision[]),
    vrm.holm_adjusted(double precision[]), vrm.cohen_kappa(text[], text[]),
    vrm.krippendorff_alpha(double precision[], text),
    vrm.repeats_needed(double precision, double precision, double precision, double precision)
    TO authenticated, service_role;
