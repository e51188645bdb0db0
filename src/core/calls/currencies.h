#pragma once

#include <string_view>

namespace vrm {

/// Whether `code` is one of the alphabetic codes of ISO 4217 for money in use, or withdrawn since
/// 2025: calls of the past have cost that, too.
[[nodiscard]] bool is_currency(std::string_view code) noexcept;

}  // namespace vrm
