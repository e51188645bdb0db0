#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vrm {

inline constexpr std::string_view hex_digits = "0123456789abcdef";
inline constexpr std::string_view upper_hex_digits = "0123456789ABCDEF";

/// Writes the two digits of `byte`; the end of them.
template <typename Output>
constexpr Output write_hex(std::byte byte, Output out,
                           std::string_view digits = hex_digits) noexcept {
  *out++ = digits[std::to_integer<std::size_t>(byte >> 4)];
  *out++ = digits[std::to_integer<std::size_t>(byte & std::byte{15})];
  return out;
}

/// Value of a digit in either case, or -1.
[[nodiscard]] constexpr int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The byte that two digits are, or -1.
[[nodiscard]] constexpr int hex_byte(char high, char low) noexcept {
  const int upper = hex_value(high);
  const int lower = hex_value(low);
  return upper < 0 || lower < 0 ? -1 : (upper * 16) + lower;
}

}  // namespace vrm
