#pragma once

/// Views of bytes that somebody else owns.

#include <cstddef>
#include <span>
#include <string_view>

namespace vrm {

using byte_view = std::span<const std::byte>;

[[nodiscard]] inline byte_view bytes_of(std::string_view text) noexcept {
  return std::as_bytes(std::span(text));
}

[[nodiscard]] inline std::string_view text_of(byte_view bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace vrm
