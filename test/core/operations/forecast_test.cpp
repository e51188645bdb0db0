// What a day adds: within 15 % of the truth, whatever the curve looks like.
#include "core/operations/forecast.h"

#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace vrm {
namespace {

constexpr double rate = 5;  // of every curve, at its end
constexpr int month = 30;

std::optional<double> growth_of(int days, const std::function<double(int)>& amount) {
  std::vector<sample> samples;
  samples.reserve(static_cast<std::size_t>(days));
  for (int day = 0; day < days; ++day) {
    samples.push_back({static_cast<double>(day), amount(day)});
  }
  return growth_a_day(samples);
}

TEST(forecast, steady_growth_is_found_to_the_byte) {
  EXPECT_DOUBLE_EQ(growth_of(month, [](int day) { return 1000 + (rate * day); }).value(), rate);
}

TEST(forecast, a_drop_does_not_count_wherever_it_lies) {
  for (int drop = 1; drop < month; ++drop) {
    const auto growth = growth_of(
        month, [drop](int day) { return (rate * day) - (day >= drop ? rate * month : 0); });
    EXPECT_NEAR(growth.value(), rate, rate * 0.15) << "on day " << drop;
  }
}

TEST(forecast, noise_of_a_days_growth_is_looked_through) {
  for (std::uint32_t seed = 1; seed <= 100; ++seed) {
    std::mt19937 random(seed);  // NOLINT(*-msc51-cpp): the same every time
    std::normal_distribution<double> noise(0, rate);
    const auto growth = growth_of(month, [&](int day) { return (rate * day) + noise(random); });
    EXPECT_NEAR(growth.value(), rate, rate * 0.15) << "seed " << seed;
  }
}

TEST(forecast, growth_that_has_changed_counts_as_it_is_now) {
  const auto growth = growth_of(month, [](int day) {
    constexpr int change = 12;
    return day < change ? rate / 3 * day : (rate / 3 * change) + (rate * (day - change));
  });
  EXPECT_NEAR(growth.value(), rate, rate * 0.15);
}

TEST(forecast, what_shrinks_or_stays_does_not_grow) {
  EXPECT_DOUBLE_EQ(growth_of(month, [](int day) { return 1000 - (rate * day); }).value(), -rate);
  EXPECT_DOUBLE_EQ(growth_of(month, [](int) { return 1000.0; }).value(), 0);
}

TEST(forecast, gaps_and_odd_hours_do_no_harm) {
  std::vector<sample> samples;
  for (int day = 0; day < month; ++day) {
    if (day % 5 == 3) continue;
    const double at = day + (0.3 * (day % 2));
    samples.push_back({at, rate * at});
  }
  EXPECT_NEAR(growth_a_day(samples).value(), rate, 1e-9);
}

TEST(forecast, less_than_a_week_is_no_trend) {
  EXPECT_FALSE(growth_of(0, [](int day) { return day; }).has_value());
  EXPECT_FALSE(growth_of(6, [](int day) { return day; }).has_value());
  EXPECT_TRUE(growth_of(7, [](int day) { return day; }).has_value());
}

TEST(forecast, samples_of_one_moment_tell_nothing) {
  const std::vector<sample> samples(month, {1, 1000});
  EXPECT_FALSE(growth_a_day(samples).has_value());
}

TEST(forecast, samples_too_far_apart_tell_nothing) {
  std::vector<sample> samples;
  samples.reserve(month);
  for (int i = 0; i < month; ++i) samples.push_back({i * 10.0, i * 50.0});
  EXPECT_FALSE(growth_a_day(samples).has_value());
}

}  // namespace
}  // namespace vrm
