#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace vrm {

/// Tests of whether two versions differ.  Each gives a p-value, two-sided; 1 when there is nothing
/// to tell them apart by.

/// Pairs of which only the first, or only the second, passed: the sign test on those that differ.
/// Source: McNemar (1947), with the exact binomial distribution.
[[nodiscard]] double mcnemar_exact(std::int64_t only_a, std::int64_t only_b) noexcept;

/// Runs that are not paired: `passed` of `runs` of each version.  Sums what is at most as probable
/// as what was seen, as R and SciPy do.
/// Source: Fisher (1934); Agresti, Categorical Data Analysis (2002), section 3.5.
[[nodiscard]] double fisher_exact(std::int64_t passed_a, std::int64_t runs_a, std::int64_t passed_b,
                                  std::int64_t runs_b) noexcept;

/// The least p-value that fisher_exact() can give with so many runs: all passed against none.
[[nodiscard]] double fisher_attainable(std::int64_t runs_a, std::int64_t runs_b) noexcept;

/// Whether values of one sample tend to be larger: exact without ties when one sample has at most
/// eight values and the other at most fifty, else the normal approximation, corrected for ties and
/// continuity.  Values are finite.
/// Source: Mann and Whitney (1947); Hollander, Wolfe, Nonparametric Statistical Methods
/// (1999), 4.1.
[[nodiscard]] double mann_whitney(std::span<const double> a, std::span<const double> b);

/// p-values of one family, each adjusted so that comparing it with a level keeps the chance of any
/// false alarm below it; in the order given.
/// Source: Holm, Scandinavian Journal of Statistics 6 (1979).
[[nodiscard]] std::vector<double> holm_adjusted(std::span<const double> p_values);

}  // namespace vrm
