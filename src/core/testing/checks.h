#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/testing/evaluation.h"

namespace vrm {

/// A turn of a transcript; times in ms since the start of the call, where they are known.
struct spoken_turn {
  check::voice by = check::voice::anybody;  ///< anybody: neither agent nor customer
  std::string_view text{};                  // NOLINT(readability-redundant-member-init): gcc warns
  std::optional<std::int64_t> begin = std::nullopt;
  std::optional<std::int64_t> end = std::nullopt;
  bool interrupted = false;
};

/// A call as checks see it; views look into the document.
struct transcript {
  std::vector<spoken_turn> turns;
  std::vector<std::string_view> tools;   ///< names of what was called, in order
  std::optional<std::int64_t> duration;  ///< ms
};

/// What the core leaves to others: regular expressions, and documents within documents.
class matching {
 public:
  matching() = default;
  matching(const matching&) = delete;
  matching& operator=(const matching&) = delete;
  virtual ~matching() = default;

  /// Why the text or pattern of a check cannot be looked for; empty when it can.
  virtual std::string problem(std::size_t check) = 0;
  /// Whether a turn has the text or pattern of a check in it.
  /// Asked only of checks without a problem().
  virtual bool occurs(std::size_t check, std::string_view turn) = 0;
  /// Whether the arguments of a tool's call have those of a check among them.
  virtual bool arguments_fit(std::size_t check, std::size_t tool) = 0;
};

/// Which of the checks, and why, in words for people.
struct failed_check {
  std::size_t index;
  std::string reason;
};

/// Holds a call against checks; those that it fails, each with its reason.  What cannot be told,
/// such as an answering time without times, has failed.
[[nodiscard]] std::vector<failed_check> failed_checks(std::span<const check> checks,
                                                      const transcript& call, matching& match);

/// Time between the end of what a customer says, or its beginning where no end is known, and the
/// beginning of the agent's next turn: all of them, in ms.
[[nodiscard]] std::vector<std::int64_t> answering_times(std::span<const spoken_turn> turns);

/// The value that at least `fraction` of the values do not exceed (nearest rank); none of nothing.
[[nodiscard]] std::optional<std::int64_t> nearest_rank(std::vector<std::int64_t> values,
                                                       double fraction);

}  // namespace vrm
