#pragma once

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/analytics/histogram.h"
#include "core/analytics/packing.h"

namespace vrm {

/// What became of a call, as far as statistics go: the agent served it to its end, somebody else
/// took over, or neither.
enum class outcome_kind : std::uint8_t { none, contained, transferred, other };

/// Of a kind in vrm.call_outcomes: `none` for an empty one, `other` for further words.
[[nodiscard]] outcome_kind outcome_kind_of(std::string_view text) noexcept;

/// What statistics take from what was said in one call and what it came to.
struct conversation {
  /// How long both sides spoke, in ms; nothing without a transcript that tells times.
  std::optional<std::int64_t> agent_time = std::nullopt;
  std::optional<std::int64_t> customer_time = std::nullopt;
  std::int32_t interruptions = 0;
  std::int32_t tool_calls = 0;
  std::int32_t tool_failures = 0;
  // NOLINTBEGIN(readability-redundant-member-init): gcc warns
  std::span<const std::byte> answers{};  ///< as pack_answers() leaves them
  outcome_kind outcome = outcome_kind::none;
  std::optional<std::int64_t> cost = std::nullopt;  ///< in millionths of the currency
  std::string_view currency{};                      ///< empty: not said
  // NOLINTEND(readability-redundant-member-init)
};

/// Answering times in ms as bytes: in ascending order, each as its distance from the one before.
/// Of what does not fit the first ones count: more than an hour of answers a second apart.
[[nodiscard]] std::vector<std::byte> pack_answers(std::vector<std::int64_t> answers);
/// The times again, in ascending order; throws 22P03 when it is not what pack_answers() leaves.
[[nodiscard]] std::vector<std::int64_t> unpack_answers(std::span<const std::byte> packed);

/// Figures of any number of conversations.  As with call_stats, counters and buckets only add up:
/// the result is the same to the bit in any order, counts are exact, and an answering time is that
/// of percentile_disc() within 0.05 %.
class conversation_stats {
 public:
  explicit conversation_stats(std::pmr::memory_resource* memory) noexcept
      : answers_(memory), costs_(memory) {}

  /// `completed`: of the outcomes, only those of completed calls count.
  void add(const conversation& one, bool completed);
  /// Throws 22003 when a figure becomes larger than states hold.
  void merge(const conversation_stats& other);

  /// Adds a state as write() leaves it; throws 22P03 when it is not one.
  void merge(byte_reader& reader);
  template <typename Sink>
  void write(Sink& sink) const;

  /// Throws 22P03 when the figures cannot be those of so many calls.
  void check_plausible(std::uint64_t calls) const;

  /// Whether there is nothing to write: the state is one of vrm 1.0 then.
  [[nodiscard]] bool empty() const noexcept {
    return spoken_ == 0 && tool_calls_ == 0 && judged_ == 0 && costs_.empty();
  }

  /// The answering time in ms that a share `fraction` (from 0 to 1) of them does not exceed.
  [[nodiscard]] std::optional<std::int64_t> answer_quantile(double fraction) const noexcept;
  [[nodiscard]] std::uint64_t answers() const noexcept { return answered_; }
  /// For each call whose transcript tells times.
  [[nodiscard]] std::optional<double> interruptions() const noexcept;
  /// The agent's part of the time in which somebody spoke.
  [[nodiscard]] std::optional<double> talk_share() const noexcept;
  /// Of the completed calls whose outcome is known.
  [[nodiscard]] std::optional<double> transfer_rate() const noexcept;
  [[nodiscard]] std::optional<double> containment_rate() const noexcept;
  [[nodiscard]] std::optional<double> tool_success_rate() const noexcept;
  [[nodiscard]] std::uint64_t tool_calls() const noexcept { return tool_calls_; }

  /// In millionths; nothing when no call tells its cost, or they do in several currencies.
  [[nodiscard]] std::optional<std::int64_t> cost() const noexcept;
  /// Of cost(); empty when it is not known.
  [[nodiscard]] std::string currency() const;

  /// All figures as JSON; times in seconds.
  [[nodiscard]] std::string json() const;

 private:
  /// What the calls of one currency have cost.
  struct price {
    std::uint32_t code;  ///< three letters, or 0: the currency is not known
    std::uint64_t calls;
    std::uint64_t sum;  ///< millionths
  };
  void add_price(const price& more);
  void widen(std::int64_t shortest, std::int64_t longest) noexcept;
  bool read_answers(byte_reader& reader);
  bool read_costs(byte_reader& reader);

  std::uint64_t spoken_ = 0;         ///< calls whose transcript tells times
  std::uint64_t agent_time_ = 0;     ///< ms
  std::uint64_t customer_time_ = 0;  ///< ms
  std::uint64_t interruptions_ = 0;
  std::uint64_t tool_calls_ = 0;
  std::uint64_t tool_failures_ = 0;
  std::uint64_t judged_ = 0;  ///< completed calls whose outcome is known
  std::uint64_t contained_ = 0;
  std::uint64_t transferred_ = 0;
  std::uint64_t answered_ = 0;  ///< answering times, each in a bucket of answers_
  std::int64_t shortest_ = 0;   ///< ms; without meaning when there are no answers
  std::int64_t longest_ = 0;
  duration_histogram answers_;
  std::pmr::vector<price> costs_;  ///< in order of their codes
};

template <typename Sink>
void conversation_stats::write(Sink& sink) const {
  for (const std::uint64_t count :
       {spoken_, agent_time_, customer_time_, interruptions_, tool_calls_, tool_failures_, judged_,
        contained_, transferred_}) {
    sink.number(count);
  }
  std::uint64_t used = 0;
  answers_.each([&](auto, auto) { ++used; });
  sink.number(used);
  if (used > 0) {
    sink.number(static_cast<uint128>(shortest_));
    sink.number(static_cast<uint128>(longest_));
    duration_histogram::bucket before = 0;
    answers_.each([&](duration_histogram::bucket bucket, std::uint64_t count) {
      sink.number(bucket - before);
      sink.number(count);
      before = bucket;
    });
  }
  sink.number(costs_.size());
  for (const price& one : costs_) {
    sink.number(one.code);
    sink.number(one.calls);
    sink.number(one.sum);
  }
}

}  // namespace vrm
