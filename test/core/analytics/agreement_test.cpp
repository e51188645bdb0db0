// Agreement of judges, against the papers' own examples.
#include "core/analytics/agreement.h"

#include <limits>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace vrm {
namespace {

using words = std::vector<std::optional<std::string_view>>;

/// So many things judged yes-yes, yes-no, no-yes and no-no.
std::optional<double> kappa(int yes_yes, int yes_no, int no_yes, int no_no) {
  words a;
  words b;
  const auto add = [&](int times, std::string_view of_a, std::string_view of_b) {
    for (int i = 0; i < times; ++i) {
      a.emplace_back(of_a);
      b.emplace_back(of_b);
    }
  };
  add(yes_yes, "yes", "yes");
  add(yes_no, "yes", "no");
  add(no_yes, "no", "yes");
  add(no_no, "no", "no");
  return cohen_kappa(a, b);
}

// Wikipedia, "Cohen's kappa": the simple example, and two pairs of the same percentage agreement.
TEST(agreement, kappa_takes_chance_away) {
  EXPECT_NEAR(kappa(20, 5, 10, 15).value(), 0.4, 1e-12);
  EXPECT_NEAR(kappa(45, 15, 25, 15).value(), 0.1304, 5e-5);
  EXPECT_NEAR(kappa(25, 35, 5, 35).value(), 0.2593, 5e-5);
  EXPECT_NEAR(kappa(10, 0, 0, 10).value(), 1, 1e-12);
  EXPECT_NEAR(kappa(0, 10, 10, 0).value(), -1, 1e-12);
}

TEST(agreement, kappa_of_one_word_is_unknown) {
  EXPECT_FALSE(kappa(10, 0, 0, 0).has_value());
  EXPECT_FALSE(cohen_kappa({}, {}).has_value());
}

TEST(agreement, kappa_passes_over_what_one_did_not_judge) {
  EXPECT_EQ(cohen_kappa(words{"a", "b", std::nullopt, "b"}, words{"a", "b", "a", std::nullopt}), 1);
}

constexpr double none = std::numeric_limits<double>::quiet_NaN();

std::optional<double> alpha(const std::vector<double>& rows, std::size_t units,
                            std::string_view level) {
  std::vector<std::optional<double>> ratings;
  ratings.reserve(rows.size());
  for (const double value : rows) {
    ratings.push_back(value == value ? std::optional(value) : std::nullopt);
  }
  return krippendorff_alpha(ratings, units, measurement_of(level).value());
}

// Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), example C: four observers,
// twelve units, values missing.
TEST(agreement, alpha_of_four_observers) {
  const std::vector<double> rows = {
      1,    2, 3, 3, 2, 1, 4, 1, 2, none, none, none,  //
      1,    2, 3, 3, 2, 2, 4, 1, 2, 5,    none, 3,     //
      none, 3, 3, 3, 2, 3, 4, 2, 2, 5,    1,    none,  //
      1,    2, 3, 3, 2, 4, 4, 1, 2, 5,    1,    none,
  };
  constexpr double published = 5e-4;
  EXPECT_NEAR(alpha(rows, 12, "nominal").value(), 0.743, published);
  EXPECT_NEAR(alpha(rows, 12, "ordinal").value(), 0.815, published);
  EXPECT_NEAR(alpha(rows, 12, "interval").value(), 0.849, published);
  EXPECT_NEAR(alpha(rows, 12, "ratio").value(), 0.797, published);
}

// The same paper, example A: two observers, two values, ten units.
TEST(agreement, alpha_of_two_observers) {
  const std::vector<double> rows = {0, 1, 0, 0, 0, 0, 0, 0, 1, 0,  //
                                    1, 1, 1, 0, 0, 1, 0, 0, 0, 0};
  EXPECT_NEAR(alpha(rows, 10, "nominal").value(), 0.095, 5e-4);
}

TEST(agreement, alpha_of_large_values_keeps_its_digits) {
  const std::vector<double> rows = {1e9 + 1, 1e9 + 2, 1e9 + 3, 1e9 + 1, 1e9 + 2, 1e9 + 4};
  const std::vector<double> small = {1, 2, 3, 1, 2, 4};
  EXPECT_NEAR(alpha(rows, 3, "interval").value(), alpha(small, 3, "interval").value(), 1e-9);
}

TEST(agreement, alpha_without_two_different_values_is_unknown) {
  EXPECT_FALSE(alpha({3, 3, 3, 3}, 2, "interval").has_value());
  EXPECT_FALSE(alpha({1, none, none, 2}, 2, "nominal").has_value());
  EXPECT_FALSE(alpha({}, 0, "ratio").has_value());
  EXPECT_FALSE(alpha({0, 0}, 1, "ratio").has_value());
}

TEST(agreement, levels_have_names) { EXPECT_FALSE(measurement_of("Nominal").has_value()); }

}  // namespace
}  // namespace vrm
