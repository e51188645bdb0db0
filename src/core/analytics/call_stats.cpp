// Adding and merging calls, and the figures that come of it; call_stats_format.cpp packs them.
#include "core/analytics/call_stats.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace vrm {
namespace {

constexpr std::int64_t in_millisecond = 1000;  ///< microseconds

}  // namespace

call_status call_status_of(std::string_view text) noexcept {
  if (text == "completed") return call_status::completed;
  if (text == "failed") return call_status::failed;
  if (text == "cancelled") return call_status::cancelled;
  if (text == "running") return call_status::running;
  if (text == "queued") return call_status::queued;
  return call_status::other;
}

call_sentiment call_sentiment_of(std::string_view text) noexcept {
  if (text == "positive") return call_sentiment::positive;
  if (text == "neutral") return call_sentiment::neutral;
  if (text == "negative") return call_sentiment::negative;
  return call_sentiment::none;
}

void call_stats::add(const call& one) {
  ++by_status_[static_cast<std::size_t>(one.status)];
  ++by_sentiment_[static_cast<std::size_t>(one.sentiment)];
  bad_ += static_cast<std::uint64_t>(one.bad);
  if (one.actions) {
    ++with_actions_;
    actions_.add(static_cast<uint128>(*one.actions));
  }
  if (one.customer) {
    ++with_customer_;
    customers_.add(mix(*one.customer));
  }
  if (one.duration && one.status == call_status::completed) {
    const std::int64_t duration = *one.duration;
    widen(duration, duration, duration % 1000 == 0);
    ++durations_;
    sum_.add(static_cast<uint128>(duration));
    // Below 2^84 each, so most_calls of them stay below 2^124.
    squares_.add(static_cast<uint128>(duration) * static_cast<uint128>(duration));
    histogram_.add(duration_histogram::bucket_of(duration));
  }
}

void call_stats::add_duration(std::int64_t duration) {
  add({.status = call_status::completed, .duration = duration});
}

void call_stats::add_bad() noexcept { add({.status = call_status::completed, .bad = true}); }

void call_stats::widen(std::int64_t shortest, std::int64_t longest, bool whole_seconds) noexcept {
  shortest_ = durations_ == 0 ? shortest : std::min(shortest_, shortest);
  longest_ = durations_ == 0 ? longest : std::max(longest_, longest);
  whole_seconds_ = whole_seconds_ && whole_seconds;
}

void call_stats::merge(const call_stats& other) {
  if (calls() + other.calls() > most_calls) {
    throw error("22003", "call statistics out of range")
        .detail("They hold at most " + std::to_string(most_calls) + " calls.")
        .hint("Take statistics of a shorter time, or of fewer agents.");
  }
  std::ranges::transform(by_status_, other.by_status_, by_status_.begin(), std::plus());
  std::ranges::transform(by_sentiment_, other.by_sentiment_, by_sentiment_.begin(), std::plus());
  bad_ += other.bad_;
  with_actions_ += other.with_actions_;
  actions_.add(other.actions_.value());
  with_customer_ += other.with_customer_;
  customers_.merge(other.customers_);
  conversations_.merge(other.conversations_);
  // Least and most of no durations say nothing.
  if (other.durations_ == 0) return;
  widen(other.shortest_, other.longest_, other.whole_seconds_);
  durations_ += other.durations_;
  sum_.add(other.sum_.value());
  squares_.add(other.squares_.value());
  histogram_.merge(other.histogram_);
}

// --- figures ------------------------------------------------------------------------------------

std::uint64_t call_stats::calls() const noexcept {
  return std::accumulate(by_status_.begin(), by_status_.end(), std::uint64_t{0});
}

std::int64_t call_stats::actions() const noexcept {
  constexpr auto most = static_cast<uint128>(std::numeric_limits<std::int64_t>::max());
  return static_cast<std::int64_t>(std::min(actions_.value(), most));
}

std::optional<double> call_stats::success_rate() const noexcept {
  const auto completed = static_cast<double>(calls(call_status::completed));
  const auto failed = static_cast<double>(calls(call_status::failed));
  if (completed + failed == 0) return std::nullopt;
  return completed / (completed + failed);
}

std::optional<std::int64_t> call_stats::average_duration() const noexcept {
  if (durations_ == 0) return std::nullopt;
  // Rounded half up: (2 a + n) / 2 n.
  return static_cast<std::int64_t>((sum_.value() * in_millisecond * 2 + durations_) /
                                   (uint128{durations_} * 2));
}

// Of a sample, that is divided by n - 1, as stddev() in SQL.
std::optional<std::int64_t> call_stats::duration_deviation() const noexcept {
  if (durations_ < 2) return std::nullopt;
  // n * sum(x^2) - sum(x)^2 loses nothing in integers; only beyond them is it approximate
  const uint128 n = durations_;
  const uint128 sum = sum_.value();
  uint128 left = 0;
  uint128 right = 0;
  double spread = 0;
  if (!__builtin_mul_overflow(n, squares_.value(), &left) &&
      !__builtin_mul_overflow(sum, sum, &right)) {
    spread = static_cast<double>(left > right ? left - right : 0);
  } else {
    const double mean = static_cast<double>(sum) / static_cast<double>(n);
    const auto count = static_cast<double>(n);
    spread = std::max(0.0, (static_cast<double>(squares_.value()) / count) - (mean * mean));
    spread *= count * count;
  }
  const double variance = spread / (static_cast<double>(n) * static_cast<double>(n - 1));
  return std::llround(std::sqrt(variance) * in_millisecond);
}

std::optional<std::int64_t> call_stats::shortest_duration() const noexcept {
  if (durations_ == 0) return std::nullopt;
  return shortest_ * in_millisecond;
}

std::optional<std::int64_t> call_stats::longest_duration() const noexcept {
  if (durations_ == 0) return std::nullopt;
  return longest_ * in_millisecond;
}

/// The one duration that stands for a bucket: its middle, or the only whole second in it when all
/// durations are whole seconds.  Rounding to whole seconds otherwise would break the bound.
std::int64_t call_stats::microseconds_of(duration_histogram::bucket bucket) const noexcept {
  const auto range = duration_histogram::range_of(bucket);
  const std::int64_t least = std::max(range.least, shortest_);
  const std::int64_t most = std::min(range.most, longest_);
  if (whole_seconds_) {
    const std::int64_t second = (least + 999) / 1000;
    if (second == most / 1000) return second * 1000 * in_millisecond;
  }
  // The middle of the two in ms, in microseconds, which has no half.
  return (least + most) * (in_millisecond / 2);
}

std::optional<std::int64_t> call_stats::duration_quantile(double fraction) const noexcept {
  if (durations_ == 0) return std::nullopt;
  const double rank = std::ceil(fraction * static_cast<double>(durations_));  // as PostgreSQL does
  // The ends are known exactly, whatever bucket they are in.
  if (rank <= 1) return shortest_ * in_millisecond;
  if (rank >= static_cast<double>(durations_)) return longest_ * in_millisecond;
  return microseconds_of(histogram_.at_rank(static_cast<std::uint64_t>(rank)));
}

std::optional<double> call_stats::duration_rank(std::int64_t microseconds) const noexcept {
  if (durations_ == 0) return std::nullopt;
  if (microseconds >= longest_ * in_millisecond) return 1;
  std::uint64_t within = 0;
  histogram_.each([&](duration_histogram::bucket bucket, std::uint64_t count) {
    // A bucket counts as soon as it begins no later: that is where the 0.1 % come from.
    const std::int64_t least = duration_histogram::range_of(bucket).least;
    if (std::max(least, shortest_) * in_millisecond <= microseconds) within += count;
  });
  return static_cast<double>(within) / static_cast<double>(durations_);
}

}  // namespace vrm
