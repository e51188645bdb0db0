// Whether two versions differ: p-values against published ones and SciPy 1.10.1.
#include "core/analytics/exact_tests.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace vrm {
namespace {

constexpr double digits = 1e-10;

// scipy.stats.binomtest(min(b, c), b + c).pvalue
TEST(exact_tests, mcnemar_is_the_sign_test_on_what_differs) {
  EXPECT_EQ(mcnemar_exact(0, 0), 1);
  EXPECT_EQ(mcnemar_exact(1, 0), 1);
  EXPECT_NEAR(mcnemar_exact(5, 0), 0.0625, digits);
  EXPECT_NEAR(mcnemar_exact(0, 5), 0.0625, digits);
  EXPECT_NEAR(mcnemar_exact(3, 9), 0.14599609375, digits);
  EXPECT_NEAR(mcnemar_exact(10, 25), 0.016673847800120715, digits);
  EXPECT_NEAR(mcnemar_exact(1, 12), 0.00341796875, digits);
  EXPECT_NEAR(mcnemar_exact(86, 150), 3.715936139571387e-05, digits);  // Agresti (2002), table 10.1
  EXPECT_NEAR(mcnemar_exact(400, 500), 0.0009564441369189373, digits);
  EXPECT_NEAR(mcnemar_exact(100'000, 101'000), 0.025862392439732925, digits);
  EXPECT_EQ(mcnemar_exact(7, 7), 1);
}

// scipy.stats.fisher_exact
TEST(exact_tests, fisher_adds_up_what_is_at_most_as_probable) {
  EXPECT_NEAR(fisher_exact(5, 5, 0, 5), 0.007936507936507938, digits);
  EXPECT_NEAR(fisher_exact(8, 10, 1, 6), 0.034965034965034975, digits);
  EXPECT_NEAR(fisher_exact(20, 20, 12, 20), 0.003276003276003276, digits);
  EXPECT_NEAR(fisher_exact(7, 10, 3, 10), 0.1788954079975752, digits);
  EXPECT_NEAR(fisher_exact(150, 200, 120, 190), 0.01187127049058146, digits);
  EXPECT_EQ(fisher_exact(5, 5, 5, 5), 1);
}

TEST(exact_tests, few_runs_cannot_show_a_difference) {
  EXPECT_EQ(fisher_attainable(1, 1), 1);
  EXPECT_NEAR(fisher_attainable(3, 3), 0.1, digits);
  EXPECT_NEAR(fisher_attainable(4, 4), 1.0 / 35, digits);
  EXPECT_EQ(fisher_attainable(0, 9), 1);
}

// Hollander, Wolfe, Nonparametric Statistical Methods (1973), p. 69: the one-sided value is 0.1272.
TEST(exact_tests, mann_whitney_of_placental_permeability) {
  const std::vector<double> term = {0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46};
  const std::vector<double> early = {1.15, 0.88, 0.90, 0.74, 1.21};
  EXPECT_NEAR(mann_whitney(term, early), 0.2544122544122544, digits);
  EXPECT_NEAR(mann_whitney(early, term), 0.2544122544122544, digits);
}

// scipy.stats.mannwhitneyu
TEST(exact_tests, mann_whitney_with_ties_and_many_values) {
  EXPECT_NEAR(mann_whitney(std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8},
                           std::vector<double>{3.5, 9, 10, 11, 12.5}),
              0.029526029526029528, digits);
  EXPECT_NEAR(mann_whitney(std::vector<double>{1, 2, 2, 3, 4, 4, 4, 5},
                           std::vector<double>{2, 3, 3, 4, 5, 5, 6, 6, 7}),
              0.09703949160207612, digits);
  std::vector<double> first;
  std::vector<double> second;
  for (int i = 1; i <= 30; ++i) first.push_back(i);
  for (int i = 1; i <= 25; ++i) second.push_back(i + 4.5);
  EXPECT_NEAR(mann_whitney(first, second), 0.4027596942538769, digits);
}

TEST(exact_tests, mann_whitney_of_nothing_and_of_equals_tells_nothing) {
  EXPECT_EQ(mann_whitney({}, std::vector<double>{1, 2}), 1);
  EXPECT_EQ(mann_whitney(std::vector<double>(9, 7), std::vector<double>(9, 7)), 1);
}

// R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm") is 0.03 0.06 0.06 0.02
TEST(exact_tests, holm_adjusts_in_the_order_given) {
  const std::vector<double> p = {0.01, 0.04, 0.03, 0.005};
  const std::vector<double> adjusted = holm_adjusted(p);
  ASSERT_EQ(adjusted.size(), 4U);
  EXPECT_NEAR(adjusted[0], 0.03, digits);
  EXPECT_NEAR(adjusted[1], 0.06, digits);  // not 0.04: never less than for a smaller one
  EXPECT_NEAR(adjusted[2], 0.06, digits);
  EXPECT_NEAR(adjusted[3], 0.02, digits);
  EXPECT_TRUE(holm_adjusted({}).empty());
  EXPECT_EQ(holm_adjusted(std::vector<double>{0.7, 0.8}), (std::vector<double>{1, 1}));
}

}  // namespace
}  // namespace vrm
