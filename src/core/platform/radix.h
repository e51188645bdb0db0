#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/platform/bytes.h"

namespace vrm::radix {

/// What becomes of bits after the last whole byte.
enum class rest : std::uint8_t { has_to_be_zero, is_dropped };

/// Bytes as text, `Bits` bits a character: what base64 and base32 (RFC 4648) have in common.
/// There is no padding.
template <unsigned Bits>
class encoding {
 public:
  explicit constexpr encoding(std::string_view alphabet) noexcept : alphabet_(alphabet) {
    values_.fill(none);
    for (std::size_t i = 0; i < alphabet.size(); ++i)
      values_[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }

  [[nodiscard]] std::string encode(byte_view bytes) const {
    std::string text;
    text.reserve(((bytes.size() * 8) + Bits - 1) / Bits + 1);
    std::uint32_t pending = 0;
    unsigned held = 0;
    for (const std::byte byte : bytes) {
      pending = (pending << 8) | std::to_integer<std::uint32_t>(byte);
      // Bits that are written already fall off at the top.
      for (held += 8; held >= Bits; held -= Bits)
        text += alphabet_[(pending >> (held - Bits)) & mask];
    }
    if (held > 0) text += alphabet_[(pending << (Bits - held)) & mask];
    return text;
  }

  /// Nothing is forgiven unless `bits` says so: no other characters, none that is superfluous, no
  /// bits that encode nothing.  So every sequence of bytes has one text.
  [[nodiscard]] std::optional<std::string> decode(std::string_view text,
                                                  rest bits = rest::has_to_be_zero) const {
    std::string bytes;
    bytes.reserve((text.size() * Bits) / 8);
    std::uint32_t pending = 0;
    unsigned held = 0;
    for (const char c : text) {
      const std::uint8_t value = values_[static_cast<unsigned char>(c)];
      if (value == none) return std::nullopt;
      pending = (pending << Bits) | value;
      held += Bits;
      if (held >= 8) {
        held -= 8;
        bytes += static_cast<char>(pending >> held);
        pending &= (1U << held) - 1;
      }
    }
    if (bits == rest::has_to_be_zero && (pending != 0 || held >= Bits)) return std::nullopt;
    return bytes;
  }

 private:
  static constexpr std::uint32_t mask = (1U << Bits) - 1;
  static constexpr std::uint8_t none = 0xFF;  ///< marks characters outside the alphabet

  std::string_view alphabet_;
  std::array<std::uint8_t, 256> values_{};
};

}  // namespace vrm::radix
