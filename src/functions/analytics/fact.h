#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "boundary/value/datum.h"
#include "core/analytics/call_stats.h"

namespace vrm::sql {

/// A row of vrm.call_facts, as statistics read it.
struct fact {
  std::optional<std::string_view> status = std::nullopt;
  std::optional<std::int64_t> duration_ms = std::nullopt;
  std::optional<std::string_view> sentiment = std::nullopt;
  std::optional<std::int32_t> actions = std::nullopt;
  std::optional<std::int64_t> customer = std::nullopt;
  std::optional<bool> bad = std::nullopt;
  std::optional<std::int32_t> agent_ms = std::nullopt;
  std::optional<std::int32_t> customer_ms = std::nullopt;
  std::optional<std::int32_t> interruptions = std::nullopt;
  std::optional<std::span<const std::byte>> answers = std::nullopt;
  std::optional<std::int32_t> tool_calls = std::nullopt;
  std::optional<std::int32_t> tool_failures = std::nullopt;
  std::optional<std::string_view> kind = std::nullopt;
  std::optional<std::int64_t> cost_micros = std::nullopt;
  std::optional<std::string_view> currency = std::nullopt;
};

/// Throws 22023 for negative figures of what was said.
void add_to(call_stats& into, const fact& one);

/// The quarter of an hour of its day in UTC, from 0 to 95.
[[nodiscard]] constexpr std::int32_t quarter_of(pg::timestamp moment) {
  const auto day = std::chrono::floor<std::chrono::days>(moment);
  return static_cast<std::int32_t>((moment - day) / std::chrono::minutes(15));
}

}  // namespace vrm::sql
