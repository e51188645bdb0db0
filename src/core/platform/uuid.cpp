#include "core/platform/uuid.h"

#include <algorithm>

#include "core/platform/hex.h"

namespace vrm {
namespace {

constexpr std::uint64_t nanoseconds_per_millisecond = 1'000'000;

}  // namespace

uuid uuid7(std::uint64_t unix_nanoseconds, std::span<const std::uint8_t, 8> random) {
  const std::uint64_t milliseconds = unix_nanoseconds / nanoseconds_per_millisecond;
  // RFC 9562 (6.2, method 3): the fraction of the millisecond in 4096ths.
  const std::uint64_t fraction =
      (unix_nanoseconds % nanoseconds_per_millisecond) * 4096 / nanoseconds_per_millisecond;

  uuid made{};
  for (std::size_t i = 0; i < 6; ++i) {
    made.bytes[i] = static_cast<std::uint8_t>(milliseconds >> (8 * (5 - i)));
  }
  made.bytes[6] = static_cast<std::uint8_t>(0x70U | (fraction >> 8));
  made.bytes[7] = static_cast<std::uint8_t>(fraction);
  std::ranges::copy(random, made.bytes.begin() + 8);
  // The variant (RFC 9562, 4.1) in the place of two random bits.
  made.bytes[8] = static_cast<std::uint8_t>(0x80U | (made.bytes[8] & 0x3FU));
  return made;
}

std::optional<uuid> parse_uuid(std::string_view text) noexcept {
  if (text.size() != 36) return std::nullopt;
  uuid parsed{};
  std::size_t filled = 0;
  for (std::size_t at = 0; at < text.size();) {
    if (at == 8 || at == 13 || at == 18 || at == 23) {
      if (text[at++] != '-') return std::nullopt;
      continue;
    }
    // Digits come in pairs between dashes, so there is always one more.
    const int byte = hex_byte(text[at], text[at + 1]);
    if (byte < 0) return std::nullopt;
    parsed.bytes[filled++] = static_cast<std::uint8_t>(byte);
    at += 2;
  }
  return parsed;
}

std::string to_string(const uuid& id) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text(36, '-');
  std::size_t at = 0;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) ++at;
    text[at++] = digits[id.bytes[i] >> 4U];
    text[at++] = digits[id.bytes[i] & 0xFU];
  }
  return text;
}

}  // namespace vrm
