#pragma once

#include <optional>
#include <string_view>

namespace vrm::sql {

/// Why the account of the caller may not act at the moment; nothing when it may.
[[nodiscard]] std::optional<std::string_view> account_problem();

}  // namespace vrm::sql
