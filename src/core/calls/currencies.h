#pragma once

#include <string_view>

namespace vrm {

/// Whether `code` is one of the alphabetic codes of ISO 4217 for money in use.
[[nodiscard]] bool is_currency(std::string_view code) noexcept;

}  // namespace vrm
