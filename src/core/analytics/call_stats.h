#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/analytics/conversation_stats.h"
#include "core/analytics/histogram.h"
#include "core/analytics/hyperloglog.h"
#include "core/analytics/packing.h"

namespace vrm {

/// In the order in which stored states count them: never to be changed.
enum class call_status : std::uint8_t { queued, running, completed, failed, cancelled, other };
enum class call_sentiment : std::uint8_t { positive, neutral, negative, none };

/// `other`, and `none`, for words that are none of these.
[[nodiscard]] call_status call_status_of(std::string_view text) noexcept;
[[nodiscard]] call_sentiment call_sentiment_of(std::string_view text) noexcept;

/// What statistics take from one call.
struct call {
  call_status status = call_status::other;
  call_sentiment sentiment = call_sentiment::none;
  bool bad = false;  ///< something in its results cannot be read
  std::optional<std::int64_t> duration =
      std::nullopt;  ///< ms, from 0 to duration_histogram::longest
  std::optional<std::int32_t> actions = std::nullopt;    ///< not negative
  std::optional<std::uint64_t> customer = std::nullopt;  ///< hash of who called
};

/// Figures of any number of calls in a few hundred bytes.
///
/// Counters and buckets only add up, so that the result is the same to the bit whatever the order
/// of calls, the plan or the number of workers.  Counts, sums, average, deviation, least and most
/// are exact; a quantile is that of percentile_disc() within 0.05 %, and exact for durations of
/// whole seconds up to 1048 s; distinct customers are exact up to 256.
/// Durations count for completed calls: when a call broke off says little about its length.
class call_stats {
 public:
  /// Squares of so many durations still add up to less than 2^128.
  static constexpr std::uint64_t most_calls = std::uint64_t{1} << 40;
  static constexpr std::size_t statuses = 6;
  static constexpr std::size_t sentiments = 3;

  explicit call_stats(std::pmr::memory_resource* memory) noexcept
      : histogram_(memory), customers_(memory), conversations_(memory) {}

  /// Durations and actions are within their bounds: what is not makes a call a bad one before.
  void add(const call& one);
  /// What was said in a call that add() has added.
  void add(const conversation& one, bool completed) { conversations_.add(one, completed); }
  /// A call of which nothing is known but its length.
  void add_duration(std::int64_t duration);
  /// A call whose length makes no sense.
  void add_bad() noexcept;

  /// Adds other calls; throws 22003 for more than 2^40.
  void merge(const call_stats& other);
  /// Adds a state as write() leaves it; throws 22P03 when it is not one.
  void merge(std::span<const std::byte> packed);

  /// Whether a packed state is that of no calls.
  [[nodiscard]] static bool is_nothing(std::span<const std::byte> packed) noexcept;

  /// Throws 22P03 when the figures of a state cannot be those of any calls.
  void check_plausible() const;

  /// `place` has room for packed_size() bytes.  Equal states give equal bytes.
  [[nodiscard]] std::size_t packed_size() const noexcept;
  void pack(std::byte* place) const noexcept;

  [[nodiscard]] std::uint64_t calls() const noexcept;
  [[nodiscard]] std::uint64_t calls(call_status status) const noexcept {
    return by_status_[static_cast<std::size_t>(status)];
  }
  [[nodiscard]] std::uint64_t calls(call_sentiment sentiment) const noexcept {
    return by_sentiment_[static_cast<std::size_t>(sentiment)];
  }
  /// Calls of which something could not be read.
  [[nodiscard]] std::uint64_t bad_calls() const noexcept { return bad_; }
  /// Of completed calls whose duration is known.
  [[nodiscard]] std::uint64_t durations() const noexcept { return durations_; }
  /// What all actions add up to; the largest number when that is more.
  [[nodiscard]] std::int64_t actions() const noexcept;
  /// Exact up to 256; beyond that with a standard error of 1.6 %.
  [[nodiscard]] std::int64_t distinct_customers() const noexcept { return customers_.estimate(); }

  /// Completed among completed and failed calls.
  [[nodiscard]] std::optional<double> success_rate() const noexcept;
  /// In microseconds, rounded half up; nothing without durations, or two for the deviation.
  [[nodiscard]] std::optional<std::int64_t> average_duration() const noexcept;
  [[nodiscard]] std::optional<std::int64_t> duration_deviation() const noexcept;
  [[nodiscard]] std::optional<std::int64_t> shortest_duration() const noexcept;
  [[nodiscard]] std::optional<std::int64_t> longest_duration() const noexcept;
  /// The duration that a share `fraction` (from 0 to 1) of the calls does not exceed.
  [[nodiscard]] std::optional<std::int64_t> duration_quantile(double fraction) const noexcept;
  /// The share of the calls that last no longer than so many microseconds, give or take 0.1 %.
  [[nodiscard]] std::optional<double> duration_rank(std::int64_t microseconds) const noexcept;

  [[nodiscard]] const conversation_stats& conversations() const noexcept { return conversations_; }

  /// All figures as JSON; durations in seconds.
  [[nodiscard]] std::string json() const;

 private:
  /// 128 bits that need no more than the alignment of 64.
  /// More, which 128 bits have by themselves, is not what memory contexts promise.
  struct wide {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    [[nodiscard]] uint128 value() const noexcept { return uint128{high} << 64 | low; }
    void add(uint128 more) noexcept {
      more += value();
      low = static_cast<std::uint64_t>(more);
      high = static_cast<std::uint64_t>(more >> 64);
    }
  };

  template <typename Sink>
  void write(Sink& sink) const;
  void read_customers(byte_reader& reader, bool dense);
  void read_durations(byte_reader& reader, bool whole_seconds);
  /// Before `durations_` counts the new ones: 0 says that there is nothing to compare with.
  void widen(std::int64_t shortest, std::int64_t longest, bool whole_seconds) noexcept;
  [[nodiscard]] std::int64_t microseconds_of(duration_histogram::bucket bucket) const noexcept;

  std::array<std::uint64_t, statuses> by_status_{};
  std::array<std::uint64_t, sentiments + 1> by_sentiment_{};  ///< the last one: none
  std::uint64_t bad_ = 0;
  std::uint64_t with_actions_ = 0;   ///< calls that tell how many actions they had
  std::uint64_t with_customer_ = 0;  ///< calls that tell who called
  std::uint64_t durations_ = 0;      ///< completed calls whose duration is known
  std::int64_t shortest_ = 0;        ///< ms; without meaning when there are no durations
  std::int64_t longest_ = 0;
  wide actions_;
  wide sum_;                   ///< of durations
  wide squares_;               ///< of their squares
  bool whole_seconds_ = true;  ///< all durations so far; true without any
  duration_histogram histogram_;
  hyperloglog customers_;
  conversation_stats conversations_;
};

}  // namespace vrm
