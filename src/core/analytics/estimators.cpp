// Rates of passing: estimators without bias, intervals, and how many runs it takes.
#include "core/analytics/estimators.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <span>

namespace vrm {
namespace {

/// C(some, k) / C(all, k), the smaller way round.  At most some 300,000 factors for two billion
/// runs: by then the product is as good as 0.
long double ratio_of_choices(std::int64_t some, std::int64_t all, std::int64_t k) noexcept {
  if (some < k) return 0;
  // = C(all - k, all - some) / C(all, all - some): whichever has fewer factors is multiplied out.
  constexpr long double nothing = 1e-40L;
  const std::int64_t others = all - some;
  const std::int64_t factors = std::min(k, others);
  const std::int64_t less = std::max(k, others);
  long double product = 1;
  for (std::int64_t i = 0; i < factors && product > nothing; ++i) {
    product *= static_cast<long double>(all - less - i) / static_cast<long double>(all - i);
  }
  return product;
}

/// Coefficients from that of x^0 on.
double polynomial(std::span<const double> coefficients, double x) noexcept {
  double value = 0;
  for (std::size_t i = coefficients.size(); i-- > 0;) value = (value * x) + coefficients[i];
  return value;
}

}  // namespace

double pass_at_k(std::int64_t runs, std::int64_t passed, std::int64_t k) noexcept {
  return static_cast<double>(1 - ratio_of_choices(runs - passed, runs, k));
}

double pass_hat_k(std::int64_t runs, std::int64_t passed, std::int64_t k) noexcept {
  return static_cast<double>(ratio_of_choices(passed, runs, k));
}

interval wilson_interval(std::int64_t passed, std::int64_t runs, double level) noexcept {
  const auto n = static_cast<double>(runs);
  const double rate = static_cast<double>(passed) / n;
  const double z = normal_quantile((1 + level) / 2);
  const double middle = rate + (z * z / (2 * n));
  const double reach = z * std::sqrt((rate * (1 - rate) / n) + (z * z / (4 * n * n)));
  const double scale = 1 + (z * z / n);
  // At the ends of the scale rounding must not step over them.
  return {.lower = passed == 0 ? 0 : std::max(0.0, (middle - reach) / scale),
          .upper = passed == runs ? 1 : std::min(1.0, (middle + reach) / scale)};
}

double repeats_needed(double p1, double p2, double level, double power) noexcept {
  const double mean = (p1 + p2) / 2;
  const double under_none = std::sqrt(2 * mean * (1 - mean));
  const double under_some = std::sqrt((p1 * (1 - p1)) + (p2 * (1 - p2)));
  const double root =
      ((normal_quantile((1 + level) / 2) * under_none) + (normal_quantile(power) * under_some)) /
      (p1 - p2);
  return std::ceil(root * root);
}

double normal_quantile(double p) noexcept {
  // The paper's tables a to f: numerators and denominators of three rational functions.
  static constexpr std::array a = {3.3871328727963666080e0,  1.3314166789178437745e+2,
                                   1.9715909503065514427e+3, 1.3731693765509461125e+4,
                                   4.5921953931549871457e+4, 6.7265770927008700853e+4,
                                   3.3430575583588128105e+4, 2.5090809287301226727e+3};
  static constexpr std::array b = {1.0,
                                   4.2313330701600911252e+1,
                                   6.8718700749205790830e+2,
                                   5.3941960214247511077e+3,
                                   2.1213794301586595867e+4,
                                   3.9307895800092710610e+4,
                                   2.8729085735721942674e+4,
                                   5.2264952788528545610e+3};
  static constexpr std::array c = {1.42343711074968357734e0,  4.63033784615654529590e0,
                                   5.76949722146069140550e0,  3.64784832476320460504e0,
                                   1.27045825245236838258e0,  2.41780725177450611770e-1,
                                   2.27238449892691845833e-2, 7.74545014278341407640e-4};
  static constexpr std::array d = {1.0,
                                   2.05319162663775882187e0,
                                   1.67638483018380384940e0,
                                   6.89767334985100004550e-1,
                                   1.48103976427480074590e-1,
                                   1.51986665636164571966e-2,
                                   5.47593808499534494600e-4,
                                   1.05075007164441684324e-9};
  static constexpr std::array e = {6.65790464350110377720e0,  5.46378491116411436990e0,
                                   1.78482653991729133580e0,  2.96560571828504891230e-1,
                                   2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                   2.71155556874348757815e-5, 2.01033439929228813265e-7};
  static constexpr std::array f = {1.0,
                                   5.99832206555887937690e-1,
                                   1.36929880922735805310e-1,
                                   1.48753612908506148525e-2,
                                   7.86869131145613259100e-4,
                                   1.84631831751005468180e-5,
                                   1.42151175831644588870e-7,
                                   2.04426310338993978564e-15};
  const double q = p - 0.5;
  if (std::abs(q) <= 0.425) {
    // 0.180625 = 0.425^2
    const double r = 0.180625 - (q * q);
    return q * polynomial(a, r) / polynomial(b, r);
  }
  // In the tails, the rational functions are in the square root of -ln(p).
  double r = std::sqrt(-std::log(std::min(p, 1 - p)));
  double tail = 0;
  if (r <= 5) {
    r -= 1.6;
    tail = polynomial(c, r) / polynomial(d, r);
  } else {
    r -= 5;
    tail = polynomial(e, r) / polynomial(f, r);
  }
  return q < 0 ? -tail : tail;
}

long double log_factorial(std::int64_t n) noexcept {
  constexpr std::int64_t few = 32;
  if (n < few) {
    long double product = 1;
    for (std::int64_t i = 2; i <= n; ++i) product *= static_cast<long double>(i);
    return std::log(product);
  }
  // Stirling's series; what is left out is below 1e-16 from here on.
  const auto x = static_cast<long double>(n);
  const long double square = x * x;
  const long double series =
      (1.0L / 12 - (1.0L / 360 - (1.0L / 1260 - 1.0L / (1680 * square)) / square) / square) / x;
  return ((x + 0.5L) * std::log(x)) - x + (0.5L * std::log(2 * std::numbers::pi_v<long double>)) +
         series;
}

}  // namespace vrm
