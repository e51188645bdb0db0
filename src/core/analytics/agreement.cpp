// Agreement of judges beyond chance.
#include "core/analytics/agreement.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

namespace vrm {
namespace {

/// A value and how often it was given.
struct tally {
  double value;
  double count;
};

using tallies = std::vector<tally>;  // in order of value, each once

tallies count(std::vector<double> values) {
  std::ranges::sort(values);
  tallies counted;
  for (const double value : values) {
    if (counted.empty() || counted.back().value != value) {
      counted.push_back({.value = value, .count = 0});
    }
    ++counted.back().count;
  }
  return counted;
}

double total(const tallies& counted) {
  double sum = 0;
  for (const tally& one : counted) sum += one.count;
  return sum;
}

/// Sum over ordered pairs of values of the squared difference, each pair as often as it occurs.
double squared_differences(const tallies& counted) {
  // From the mean, so that large values with small differences keep their digits.
  double mean = 0;
  for (const tally& one : counted) mean += one.value * one.count;
  mean /= total(counted);
  double squares = 0;
  for (const tally& one : counted) {
    squares += one.count * (one.value - mean) * (one.value - mean);
  }
  // The sum over ordered pairs of (a - b)^2 is 2 n times the sum of (a - mean)^2.
  return 2 * total(counted) * squares;
}

double unequal_pairs(const tallies& counted) {
  const double all = total(counted);
  double equal = 0;
  for (const tally& one : counted) equal += one.count * one.count;
  return (all * all) - equal;
}

double ratio_differences(const tallies& counted) {
  double sum = 0;
  for (std::size_t i = 0; i < counted.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      // Not negative and not equal: so the sum is above 0.
      const double share =
          (counted[i].value - counted[j].value) / (counted[i].value + counted[j].value);
      sum += 2 * counted[i].count * counted[j].count * share * share;
    }
  }
  return sum;
}

double disagreement(const tallies& counted, measurement level) {
  switch (level) {
    case measurement::nominal:
      return unequal_pairs(counted);
    case measurement::ratio:
      return ratio_differences(counted);
    case measurement::ordinal:
    case measurement::interval:
      break;
  }
  return squared_differences(counted);
}

/// Values of an ordinal scale are as far apart as the ranks that lie between them: with the middle
/// ranks in their place they are an interval scale.
void replace_by_ranks(std::vector<std::vector<double>>& units, const tallies& all) {
  std::map<double, double> rank;
  double below = 0;
  for (const tally& one : all) {
    rank[one.value] = below + (one.count / 2);
    below += one.count;
  }
  for (auto& values : units) {
    for (double& value : values) value = rank[value];
  }
}

/// Brings the largest to about 1, by a power of two, which changes no digit: squares and sums of
/// what is left stay finite.
void scale(std::vector<std::vector<double>>& units) {
  double largest = 0;
  for (const auto& values : units) {
    for (const double value : values) largest = std::max(largest, std::abs(value));
  }
  if (largest == 0) return;
  const int exponent = std::ilogb(largest);
  for (auto& values : units) {
    for (double& value : values) value = std::ldexp(value, -exponent);
  }
}

std::vector<double> joined(const std::vector<std::vector<double>>& units) {
  std::vector<double> all;
  for (const auto& values : units) all.insert(all.end(), values.begin(), values.end());
  return all;
}

}  // namespace

std::optional<double> cohen_kappa(std::span<const std::optional<std::string_view>> a,
                                  std::span<const std::optional<std::string_view>> b) {
  std::map<std::string_view, std::pair<double, double>> said;
  double both = 0;
  double alike = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto& of_a = a[i];
    const auto& of_b = b[i];
    if (!of_a || !of_b) continue;
    ++both;
    alike += *of_a == *of_b ? 1 : 0;
    ++said[*of_a].first;
    ++said[*of_b].second;
  }
  double by_chance = 0;
  for (const auto& [word, times] : said) by_chance += times.first * times.second;
  // Kappa is (observed - expected) / (1 - expected); both parts are taken times both^2, which keeps
  // them whole numbers.
  const double beyond = (both * both) - by_chance;
  if (beyond <= 0) return std::nullopt;
  return ((alike * both) - by_chance) / beyond;
}

std::optional<measurement> measurement_of(std::string_view name) noexcept {
  static constexpr std::array<std::string_view, 4> names = {"nominal", "ordinal", "interval",
                                                            "ratio"};
  const auto* const found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<measurement>(found - names.begin());
}

std::optional<double> krippendorff_alpha(std::span<const std::optional<double>> ratings,
                                         std::size_t units, measurement level) {
  std::vector<std::vector<double>> judged(units);
  for (std::size_t i = 0; i < ratings.size(); ++i) {
    const auto& rating = ratings[i];
    if (rating) judged[i % units].push_back(*rating);
  }
  // What only one has judged can be compared with nothing.
  std::erase_if(judged, [](const std::vector<double>& values) { return values.size() < 2; });
  scale(judged);
  tallies all = count(joined(judged));
  if (level == measurement::ordinal) {
    replace_by_ranks(judged, all);
    all = count(joined(judged));
  }

  double observed = 0;
  for (auto& values : judged) {
    const auto others = static_cast<double>(values.size() - 1);
    // A unit of m values has m (m - 1) ordered pairs and counts m times.
    observed += disagreement(count(std::move(values)), level) / others;
  }
  const double expected = all.empty() ? 0 : disagreement(all, level) / (total(all) - 1);
  if (!(expected > 0)) return std::nullopt;
  // Both would have to be divided by the number of values, which cancels out.
  return 1 - (observed / expected);
}

}  // namespace vrm
