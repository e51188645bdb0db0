// Figures of a transcript, turn by turn.
#include "core/calls/transcript.h"

#include <algorithm>

namespace vrm {
namespace {

bool speaks(speaker_role role) noexcept {
  return role == speaker_role::agent || role == speaker_role::customer;
}

bool is_agent(const turn& one) noexcept { return one.role == speaker_role::agent; }

/// How long the speaker of `one` spoke; nothing when that cannot be told.
std::optional<std::int64_t> length_of(const turn& one, std::optional<std::int64_t> next_begin) {
  const auto end = one.end ? one.end : next_begin;
  if (!one.begin || !end || *end < *one.begin) return std::nullopt;
  return *end - *one.begin;
}

}  // namespace

std::int32_t count_words(std::string_view text) noexcept {
  std::int32_t words = 0;
  bool inside = false;
  for (const char c : text) {
    const bool space = c == ' ' || (c >= '\t' && c <= '\r');
    words += static_cast<std::int32_t>(!space && !inside);
    inside = !space;
  }
  return words;
}

void transcript_figures::add(turn next) {
  if (!speaks(next.role)) return;
  ++turns;
  if (next.to_the_millisecond) exact_begin = next.begin;
  if (!next.to_the_millisecond && exact_begin && next.begin <= exact_begin) next.begin.reset();
  is_timed |= next.begin.has_value();
  agent_turns += static_cast<std::int32_t>(is_agent(next));
  (is_agent(next) ? agent_words : customer_words) += next.words;
  interruptions += static_cast<std::int32_t>(next.interrupted);
  if (next.end) {
    (is_agent(next) ? agent_time : customer_time) += length_of(next, std::nullopt).value_or(0);
  }
  if (before) {
    const turn& last = *before;
    if (!last.end) {
      (is_agent(last) ? agent_time : customer_time) += length_of(last, next.begin).value_or(0);
    }
    // Without its end the turn counts as part of the gap: how long it was is not known.
    const auto silent_from = last.end ? last.end : last.begin;
    if (silent_from && next.begin && *next.begin >= *silent_from) {
      longest_gap = std::max(longest_gap.value_or(0), *next.begin - *silent_from);
      // Seconds are too coarse: rounding alone would make answers of a second.
      if (is_agent(next) && !is_agent(last) && last.end && last.to_the_millisecond &&
          next.to_the_millisecond) {
        answers.push_back(*next.begin - *last.end);
      }
    }
  }
  before = next;
}

}  // namespace vrm
