// Tests of whether two versions of an agent differ.
#include "core/analytics/exact_tests.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <numeric>

#include "core/analytics/estimators.h"

namespace vrm {
namespace {

long double log_choose(std::int64_t n, std::int64_t k) noexcept {
  return log_factorial(n) - log_factorial(k) - log_factorial(n - k);
}

struct value_of {
  double value;
  bool first;
};

/// Both samples in one order, and how much ties take away from the variance.
struct ranking {
  double rank_sum = 0;  ///< of the first sample, ties at their middle
  double ties = 0;      ///< sum of t^3 - t over groups of t equal values
};

ranking rank(std::span<const double> a, std::span<const double> b) {
  std::vector<value_of> all;
  all.reserve(a.size() + b.size());
  for (const double value : a) all.push_back({.value = value, .first = true});
  for (const double value : b) all.push_back({.value = value, .first = false});
  std::ranges::sort(all, {}, &value_of::value);

  ranking found;
  for (std::size_t begin = 0, end = 0; begin < all.size(); begin = end) {
    double firsts = 0;
    for (end = begin; end < all.size() && all[end].value == all[begin].value; ++end) {
      firsts += all[end].first ? 1 : 0;
    }
    const auto size = static_cast<double>(end - begin);
    // Ranks begin with 1; equal values share the middle of theirs.
    const double middle = static_cast<double>(begin + end + 1) / 2;
    found.rank_sum += firsts * middle;
    found.ties += (size * size * size) - size;
  }
  return found;
}

/// Probability that U is at most `most`, without ties: U counts partitions of numbers into at most
/// `n` parts of at most `m`, which the recurrence of Gaussian binomials adds up.
double mann_whitney_exact(std::size_t n, std::size_t m, std::size_t most) {
  std::vector<long double> ways((n * m) + 1, 0);
  ways[0] = 1;
  for (std::size_t part = 1; part <= n; ++part) {
    // times (1 - q^(m + part)), divided by (1 - q^part)
    // Counts stay below C(58, 8), about 2 billion, so they are exact.
    for (std::size_t u = n * m; u >= m + part; --u) ways[u] -= ways[u - m - part];
    for (std::size_t u = part; u <= n * m; ++u) ways[u] += ways[u - part];
  }
  const long double all = std::accumulate(ways.begin(), ways.end(), 0.0L);
  const auto last = ways.begin() + static_cast<std::ptrdiff_t>(std::min(most, n * m) + 1);
  return static_cast<double>(std::accumulate(ways.begin(), last, 0.0L) / all);
}

}  // namespace

double mcnemar_exact(std::int64_t only_a, std::int64_t only_b) noexcept {
  const std::int64_t pairs = only_a + only_b;
  const std::int64_t fewer = std::min(only_a, only_b);
  // From the largest term down: each is the one before times i / (pairs - i + 1).
  const long double largest =
      std::exp(log_choose(pairs, fewer) -
               (static_cast<long double>(pairs) * std::numbers::ln2_v<long double>));
  long double sum = 0;
  long double term = largest;
  for (std::int64_t i = fewer; i >= 0 && term > largest * 1e-20L; --i) {
    sum += term;
    term *= static_cast<long double>(i) / static_cast<long double>(pairs - i + 1);
  }
  return static_cast<double>(std::min(1.0L, 2 * sum));
}

double fisher_exact(std::int64_t passed_a, std::int64_t runs_a, std::int64_t passed_b,
                    std::int64_t runs_b) noexcept {
  const std::int64_t passed = passed_a + passed_b;
  const long double all = log_choose(runs_a + runs_b, passed);
  const auto probability = [&](std::int64_t of_a) {
    return std::exp(log_choose(runs_a, of_a) + log_choose(runs_b, passed - of_a) - all);
  };
  constexpr long double alike = 1 + 1e-7L;  // as probable but for rounding
  const long double limit = probability(passed_a) * alike;
  long double sum = 0;
  const std::int64_t last = std::min(passed, runs_a);
  for (std::int64_t of_a = std::max<std::int64_t>(0, passed - runs_b); of_a <= last; ++of_a) {
    const long double here = probability(of_a);
    if (here <= limit) sum += here;
  }
  return static_cast<double>(std::min(1.0L, sum));
}

double fisher_attainable(std::int64_t runs_a, std::int64_t runs_b) noexcept {
  return std::min(fisher_exact(runs_a, runs_a, 0, runs_b), fisher_exact(0, runs_a, runs_b, runs_b));
}

double mann_whitney(std::span<const double> a, std::span<const double> b) {
  if (a.empty() || b.empty()) return 1;
  const ranking found = rank(a, b);
  const auto n = static_cast<double>(a.size());
  const auto m = static_cast<double>(b.size());
  // Of the first sample; the other's is n m - u.
  const double u = found.rank_sum - (n * (n + 1) / 2);
  const double further = std::max(u, (n * m) - u);

  constexpr std::size_t few = 8;
  constexpr std::size_t some = 50;
  const bool is_small = std::min(a.size(), b.size()) <= few && std::max(a.size(), b.size()) <= some;
  if (found.ties == 0 && is_small) {
    const auto nearer = static_cast<std::size_t>((n * m) - further);
    return std::min(1.0, 2 * mann_whitney_exact(a.size(), b.size(), nearer));
  }
  const double all = n + m;
  const double variance = n * m / 12 * (all + 1 - (found.ties / (all * (all - 1))));
  if (!(variance > 0)) return 1;
  // Half a step nearer to the middle: the distribution has steps, the normal one has none.
  const double z = (further - (n * m / 2) - 0.5) / std::sqrt(variance);
  return std::min(1.0, std::erfc(z / std::numbers::sqrt2));
}

std::vector<double> holm_adjusted(std::span<const double> p_values) {
  std::vector<std::size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {},
                    [&](std::size_t index) { return std::pair(p_values[index], index); });
  std::vector<double> adjusted(p_values.size());
  double least = 0;  // a larger p-value is never adjusted to less than a smaller one
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto left = static_cast<double>(order.size() - i);
    least = std::max(least, std::min(1.0, left * p_values[order[i]]));
    adjusted[order[i]] = least;
  }
  return adjusted;
}

}  // namespace vrm
