#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/platform/bytes.h"
#include "core/platform/radix.h"

namespace vrm {

namespace detail {

inline constexpr radix::encoding<6> base64(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
inline constexpr radix::encoding<6> base64url(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

}  // namespace detail

/// base64 without padding (RFC 4648, 4), as PHC strings have it.
[[nodiscard]] inline std::string encode_base64(byte_view bytes) {
  return detail::base64.encode(bytes);
}
/// Nothing when the text is not the one that encoding gives.
[[nodiscard]] inline std::optional<std::string> decode_base64(std::string_view text) {
  return detail::base64.decode(text);
}

/// base64url without padding (RFC 4648, 5; RFC 7515, 2).
[[nodiscard]] inline std::string encode_base64url(std::string_view bytes) {
  return detail::base64url.encode(bytes_of(bytes));
}

/// No padding, no white space, no characters of plain base64: no token can be respelled.
[[nodiscard]] inline std::optional<std::string> decode_base64url(std::string_view text) {
  return detail::base64url.decode(text);
}

}  // namespace vrm
