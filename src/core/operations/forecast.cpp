// How fast something grows, whatever else happens to it.
#include "core/operations/forecast.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace vrm {

std::optional<double> growth_a_day(std::span<const sample> samples) {
  // A week of daily samples; slopes closer than a quarter of a day are mostly noise.
  constexpr std::size_t fewest = 7;
  constexpr double farthest = 7.5;  // days; daily samples are not taken on the second
  constexpr double nearest = 0.25;
  if (samples.size() < fewest) return std::nullopt;

  std::vector<double> slopes;
  for (std::size_t later = 1; later < samples.size(); ++later) {
    for (std::size_t earlier = later; earlier-- > 0;) {
      const double days = samples[later].day - samples[earlier].day;
      // In order of time: all before this one are further away still.
      if (days > farthest) break;
      if (days < nearest) continue;
      slopes.push_back((samples[later].amount - samples[earlier].amount) / days);
    }
  }
  if (slopes.size() < fewest) return std::nullopt;

  // The median without sorting: of an even number, the mean of the two in the middle.
  const auto upper = slopes.begin() + static_cast<std::ptrdiff_t>(slopes.size() / 2);
  std::ranges::nth_element(slopes, upper);
  if (slopes.size() % 2 == 1) return *upper;
  return (*upper + *std::max_element(slopes.begin(), upper)) / 2;
}

}  // namespace vrm
