#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "boundary/value/jsonb.h"

namespace vrm::sql {

/// What statistics take from what was said in a call and what tools did in it.
struct speech {
  std::optional<std::int32_t> agent_ms;  ///< nothing without a transcript in milliseconds
  std::optional<std::int32_t> customer_ms;
  std::optional<std::int32_t> interruptions;
  std::vector<std::byte> answers;
  std::optional<std::int32_t> tool_calls;  ///< nothing without any
  std::optional<std::int32_t> tool_failures;

  [[nodiscard]] std::optional<std::span<const std::byte>> packed_answers() const noexcept {
    if (answers.empty()) return std::nullopt;
    return std::span<const std::byte>(answers);
  }
};

[[nodiscard]] speech read_speech(const std::optional<pg::jsonb>& results);

}  // namespace vrm::sql
