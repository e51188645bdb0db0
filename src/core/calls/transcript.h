#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/calls/speakers.h"

namespace vrm {

/// What figures need of a turn.  Times are ms since the start of the call.
struct turn {
  speaker_role role = speaker_role::customer;
  std::int32_t words = 0;
  std::optional<std::int64_t> begin = std::nullopt;
  std::optional<std::int64_t> end = std::nullopt;
  bool to_the_millisecond = false;  ///< else begin is known to whole seconds only
  bool interrupted = false;
};

/// Words are what ASCII white space parts; of other scripts that is a rough number.
[[nodiscard]] std::int32_t count_words(std::string_view text) noexcept;

/// Who spoke how much, and how long the customer waited for answers.
///
/// A speaker speaks until the turn's end or, where that is not known, until the next one begins;
/// times that go backwards count for nothing.  An answering time runs from the known end of what
/// the customer said to the beginning of the agent's next turn; when both do not overlap and are
/// known to the millisecond.  Where a turn in ms comes before one in whole seconds, these tell
/// nothing in the second in which that one began: reports repeat it where they know no better.
struct transcript_figures {
  std::int32_t turns = 0;
  std::int32_t agent_turns = 0;
  std::int32_t agent_words = 0;
  std::int32_t customer_words = 0;
  std::int64_t agent_time = 0;     ///< ms
  std::int64_t customer_time = 0;  ///< ms
  std::int32_t interruptions = 0;
  std::optional<std::int64_t> longest_gap = std::nullopt;  ///< ms
  std::vector<std::int64_t> answers;                       ///< ms, in their order
  bool is_timed = false;                                   ///< some turn says when it began
  std::optional<std::int64_t> exact_begin = std::nullopt;  ///< the last one in ms
  std::optional<turn> before = std::nullopt;               ///< the turn that was added last

  /// The next turn of the transcript.
  void add(turn next);
};

}  // namespace vrm
