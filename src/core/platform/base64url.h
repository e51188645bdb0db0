#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vrm {

/// Decodes base64url without padding (RFC 4648, 5; RFC 7515, 2).
///
/// Nothing is forgiven: no padding, no white space, no characters of plain base64, no bits that
/// encode nothing.  So every sequence of bytes has one text, and no token can be respelled.
[[nodiscard]] std::optional<std::string> decode_base64url(std::string_view text);

[[nodiscard]] std::string encode_base64url(std::string_view bytes);

}  // namespace vrm
