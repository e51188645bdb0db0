#pragma once

#include <cctype>
#include <optional>
#include <string>
#include <string_view>

#include "core/platform/bytes.h"
#include "core/platform/radix.h"

namespace vrm {

namespace detail {

inline constexpr radix::encoding<5> base32("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");

}  // namespace detail

/// base32 without padding (RFC 4648, 6).
[[nodiscard]] inline std::string encode_base32(byte_view bytes) {
  return detail::base32.encode(bytes);
}

/// As a person may have typed it: in either case, with spaces and '-' between characters.
[[nodiscard]] inline std::optional<std::string> decode_base32(std::string_view text) {
  std::string characters;
  characters.reserve(text.size());
  for (const char c : text) {
    if (c == ' ' || c == '-') continue;
    characters += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  // Secrets of other systems may end in bits that make no byte.
  return detail::base32.decode(characters, radix::rest::is_dropped);
}

}  // namespace vrm
