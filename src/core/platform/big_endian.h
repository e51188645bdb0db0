#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "core/platform/bytes.h"

namespace vrm {

/// A number in network byte order.
[[nodiscard]] constexpr std::array<std::byte, 8> to_big_endian(std::uint64_t number) noexcept {
  const std::uint64_t ordered =
      std::endian::native == std::endian::little ? __builtin_bswap64(number) : number;
  return std::bit_cast<std::array<std::byte, 8>>(ordered);
}

/// The number that the first `Size` bytes are; there have to be as many.
template <std::size_t Size = 8>
[[nodiscard]] constexpr std::uint64_t from_big_endian(byte_view bytes) noexcept {
  static_assert(Size <= 8);
  std::uint64_t number = 0;
  for (const std::byte byte : bytes.first<Size>()) {
    number = (number << 8) | std::to_integer<std::uint64_t>(byte);
  }
  return number;
}

}  // namespace vrm
