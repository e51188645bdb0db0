#pragma once

#include <optional>
#include <string>

#include "boundary/value/jsonb.h"

namespace vrm::sql {

/// What is wrong with a document, as JSON pointer and reason; nothing when it will do.
[[nodiscard]] std::optional<std::string> results_error(pg::jsonb document);
[[nodiscard]] std::optional<std::string> new_turns_error(pg::jsonb document);

}  // namespace vrm::sql
