#pragma once

#include <cstdint>

namespace vrm {

/// What a number of runs says about the rate behind it.  Nothing here looks at its arguments twice:
/// callers see to 0 <= passed <= runs, 1 <= k <= runs, and levels between 0 and 1.

/// Probability that at least one of `k` runs passes, estimated without bias from `passed` of
/// `runs`: 1 - C(runs - passed, k) / C(runs, k).
/// Source: Chen et al., Evaluating Large Language Models Trained on Code (2021), equation 1.
[[nodiscard]] double pass_at_k(std::int64_t runs, std::int64_t passed, std::int64_t k) noexcept;

/// Probability that all of `k` runs pass, estimated without bias: C(passed, k) / C(runs, k).
/// Source: Yao et al., tau-bench: A Benchmark for Tool-Agent-User Interaction (2024), section 3.
[[nodiscard]] double pass_hat_k(std::int64_t runs, std::int64_t passed, std::int64_t k) noexcept;

/// Both ends belong to it.
struct interval {
  double lower;
  double upper;
};

/// Where the rate lies with confidence `level`, as `passed` of at least one run say.
/// Source: Wilson (1927); Newcombe, Statistics in Medicine 17 (1998), method 3.
[[nodiscard]] interval wilson_interval(std::int64_t passed, std::int64_t runs,
                                       double level) noexcept;

/// Runs of each of two versions that show the difference between the rates `p1` and `p2`, which
/// differ, with probability `power` at confidence `level` (two-sided):
/// n = (z(level) sqrt(2 p q) + z(power) sqrt(p1 q1 + p2 q2))^2 / (p1 - p2)^2 with p = (p1 + p2)
/// / 2. Source: Fleiss, Levin, Paik, Statistical Methods for Rates and Proportions (2003),
/// equation 4.14; R's power.prop.test() computes the same.
[[nodiscard]] double repeats_needed(double p1, double p2, double level, double power) noexcept;

/// The value that a standard normal variable stays below with probability `p`, 0 < p < 1.
/// Source: Wichura, Algorithm AS 241, Applied Statistics 37 (1988), routine PPND16.
[[nodiscard]] double normal_quantile(double p) noexcept;

/// ln(n!)
[[nodiscard]] long double log_factorial(std::int64_t n) noexcept;

}  // namespace vrm
