// Rates of passing, against published tables and other implementations.
#include "core/analytics/estimators.h"

#include <array>
#include <cmath>

#include <gtest/gtest.h>

namespace vrm {
namespace {

constexpr double digits = 1e-12;

TEST(estimators, pass_at_k_is_the_share_of_choices_with_a_pass) {
  EXPECT_EQ(pass_at_k(10, 3, 1), 0.3);        // to the last bit
  EXPECT_DOUBLE_EQ(pass_at_k(5, 3, 2), 0.9);  // of ten pairs only one has no pass
  EXPECT_EQ(pass_at_k(10, 0, 3), 0);
  EXPECT_EQ(pass_at_k(10, 9, 10), 1);
}

TEST(estimators, pass_hat_k_is_the_share_of_choices_that_all_pass) {
  EXPECT_DOUBLE_EQ(pass_hat_k(5, 3, 1), 0.6);
  EXPECT_DOUBLE_EQ(pass_hat_k(5, 3, 2), 0.3);
  EXPECT_EQ(pass_hat_k(10, 9, 10), 0);
  EXPECT_EQ(pass_hat_k(5, 5, 5), 1);
}

// Exact fractions of integers (Python's fractions and math.comb).
TEST(estimators, many_runs_keep_their_digits) {
  EXPECT_NEAR(pass_at_k(20, 7, 5), 0.9169891640866873, digits);
  EXPECT_NEAR(pass_hat_k(20, 7, 5), 0.0013544891640866873, digits);
  EXPECT_NEAR(pass_at_k(200, 13, 10), 0.49755111473060615, digits);
  EXPECT_NEAR(pass_hat_k(200, 13, 10) / 1.2738851058221087e-14, 1, digits);
}

TEST(estimators, averages_over_all_samples_are_the_rate_itself) {
  // Unbiased: over every outcome of four runs, weighted by its probability, what is estimated
  // comes out; the plug-in estimate 1 - (1 - c/n)^k would not.
  constexpr double rate = 0.3;
  constexpr std::array<double, 5> choices = {1, 4, 6, 4, 1};
  double at_two = 0;
  double hat_two = 0;
  for (int passed = 0; passed <= 4; ++passed) {
    const double weight = choices.at(static_cast<std::size_t>(passed)) * std::pow(rate, passed) *
                          std::pow(1 - rate, 4 - passed);
    at_two += weight * pass_at_k(4, passed, 2);
    hat_two += weight * pass_hat_k(4, passed, 2);
  }
  EXPECT_NEAR(at_two, 1 - ((1 - rate) * (1 - rate)), digits);
  EXPECT_NEAR(hat_two, rate * rate, digits);
}

TEST(estimators, two_billion_runs_are_answered_at_once) {
  constexpr std::int64_t many = 2'000'000'000;
  EXPECT_DOUBLE_EQ(pass_at_k(many, many / 2, many / 2), 1);
  EXPECT_NEAR(pass_at_k(many, 44721, 44721), 1 - std::exp(-1), 1e-4);
  EXPECT_NEAR(pass_hat_k(many, many / 2, many / 2), 0, digits);
}

void expect_interval(interval found, double lower, double upper, double near) {
  EXPECT_NEAR(found.lower, lower, near);
  EXPECT_NEAR(found.upper, upper, near);
}

// Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
TEST(estimators, wilson_intervals_are_those_of_newcombe) {
  constexpr double published = 5e-5;
  expect_interval(wilson_interval(81, 263, 0.95), 0.2553, 0.3662, published);
  expect_interval(wilson_interval(15, 148, 0.95), 0.0624, 0.1605, published);
  expect_interval(wilson_interval(0, 20, 0.95), 0, 0.1611, published);
  expect_interval(wilson_interval(1, 29, 0.95), 0.0061, 0.1718, published);
}

// scipy.stats.binomtest(...).proportion_ci(level, method='wilson'), SciPy 1.10.1
TEST(estimators, wilson_intervals_are_those_of_scipy) {
  expect_interval(wilson_interval(5, 5, 0.95), 0.5655175352168251, 1, digits);
  expect_interval(wilson_interval(7, 10, 0.99), 0.32002467920110256, 0.9204336834769342, digits);
}

// scipy.stats.norm.ppf, SciPy 1.10.1
TEST(estimators, quantiles_of_the_normal_distribution) {
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, digits);
  EXPECT_NEAR(normal_quantile(0.025), -1.9599639845400545, digits);
  EXPECT_NEAR(normal_quantile(0.7), 0.5244005127080407, digits);
  EXPECT_NEAR(normal_quantile(0.999999), 4.753424308817087, digits);
  EXPECT_NEAR(normal_quantile(1e-12), -7.034483825301131, digits);
  EXPECT_EQ(normal_quantile(0.5), 0);
}

TEST(estimators, repeats_needed_are_those_of_r) {
  EXPECT_EQ(repeats_needed(0.50, 0.75, 0.95, 0.90), 77);  // its manual: n = 76.7
  EXPECT_EQ(repeats_needed(0.90, 0.70, 0.95, 0.80), 62);
  EXPECT_EQ(repeats_needed(0.70, 0.90, 0.95, 0.80), 62);
  EXPECT_EQ(repeats_needed(0.95, 0.90, 0.95, 0.80), 435);
  EXPECT_EQ(repeats_needed(0, 1, 0.95, 0.90), 2);
}

TEST(estimators, factorials_do_not_jump_where_the_series_begins) {
  for (std::int64_t n = 1; n < 200; ++n) {
    EXPECT_NEAR(static_cast<double>(log_factorial(n) - log_factorial(n - 1)),
                std::log(static_cast<double>(n)), digits)
        << n;
  }
}

}  // namespace
}  // namespace vrm
