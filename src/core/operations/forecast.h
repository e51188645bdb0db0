#pragma once

#include <optional>
#include <span>

namespace vrm {

/// How much there was at a moment; days since any fixed one.
struct sample {
  double day;
  double amount;
};

/// What a day adds, by the samples, which are in order of time: the median of the slopes between
/// any two that lie a week apart at most.  Nothing when there are fewer than a week's worth.
///
/// This is the estimator of Theil (1950) and Sen (1968) over near pairs only.  A step, such as rows
/// going to the archive, lies between few of those, but between half of all pairs when it comes in
/// the middle; and when the growth has changed, the rate of the longer part wins undiluted.
[[nodiscard]] std::optional<double> growth_a_day(std::span<const sample> samples);

}  // namespace vrm
