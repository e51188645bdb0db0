#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "boundary/value/jsonb.h"
#include "core/calls/transcript.h"

namespace vrm::sql {

/// A number of ms: whole, not negative, and no longer than any call.
[[nodiscard]] std::optional<std::int64_t> milliseconds_of(const pg::jsonb_value& value);

/// The array that is a document's member `name`; nothing else.
[[nodiscard]] std::optional<pg::jsonb_array> array_in(const pg::jsonb_value& document,
                                                      std::string_view name);

/// Figures of the turns in a document's member "transcript".
[[nodiscard]] transcript_figures read_transcript(const pg::jsonb_value& document);

/// Of calls of tools; those whose end nobody knows are neither failures nor successes.
struct tool_figures {
  std::int32_t calls = 0;
  std::int32_t failures = 0;
  std::int32_t successes = 0;
};

/// Figures of a document's member "actionsTaken".
[[nodiscard]] tool_figures read_actions(const pg::jsonb_value& document);

}  // namespace vrm::sql
