#pragma once

/// Numbers as bytes, for states that are stored and sent: LEB128, seven bits a byte, lowest first.
/// Each number has one form only, so equal states have equal bytes.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "core/platform/error.h"

namespace vrm {

/// An extension of gcc and clang, on platforms of 64 bits.
using uint128 = unsigned __int128;

/// Eight bytes as a number, lowest first, as compilers would not load and store them in one piece.
[[nodiscard]] inline std::uint64_t load_eight(const std::byte* from) noexcept {
  std::uint64_t value = 0;
  std::memcpy(&value, from, sizeof value);
  return std::endian::native == std::endian::big ? __builtin_bswap64(value) : value;
}
inline void store_eight(std::uint64_t value, void* to) noexcept {
  if (std::endian::native == std::endian::big) value = __builtin_bswap64(value);
  std::memcpy(to, &value, sizeof value);
}

/// Counts what a byte_writer would write.
class byte_counter {
 public:
  void byte(std::uint8_t /*value*/) noexcept { ++size_; }
  void number(uint128 value) noexcept {
    for (; value >= 0x80; value >>= 7) ++size_;
    ++size_;
  }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  std::size_t size_ = 0;
};

/// Writes to memory that a byte_counter has measured.
/// Nothing stops it at the end: it writes what was counted, or beyond.
class byte_writer {
 public:
  explicit byte_writer(std::byte* place) noexcept : place_(place) {}

  void byte(std::uint8_t value) noexcept { *place_++ = std::byte{value}; }
  void number(uint128 value) noexcept {
    for (; value >= 0x80; value >>= 7) byte(static_cast<std::uint8_t>(value | 0x80U));
    byte(static_cast<std::uint8_t>(value));
  }

 private:
  std::byte* place_;
};

/// Reads them back; throws 22P03 for what no byte_writer writes.
class byte_reader {
 public:
  /// `bytes` have to outlive the reader.
  explicit byte_reader(std::span<const std::byte> bytes) noexcept : bytes_(bytes) {}

  [[nodiscard]] std::uint8_t byte() {
    if (at_ == bytes_.size()) refuse("It ends too early.");
    return std::to_integer<std::uint8_t>(bytes_[at_++]);
  }

  /// A number up to `most`.
  [[nodiscard]] uint128 number(uint128 most) {
    if (at_ < bytes_.size()) [[likely]] {  // nearly all are short
      const auto only = std::to_integer<std::uint8_t>(bytes_[at_]);
      if (only < 0x80 && only <= most) {
        ++at_;
        return only;
      }
    }
    uint128 value = 0;
    for (unsigned shift = 0; shift < 128; shift += 7) {
      const std::uint8_t next = byte();
      const uint128 digit = next & 0x7FU;
      if (shift > 0 && next == 0) refuse("A number has leading zeros.");
      // Before it is shifted, so that no bit falls off at the top.
      if (digit > most >> shift) break;
      value |= digit << shift;
      if (next < 0x80) {
        if (value > most) break;
        return value;
      }
    }
    refuse("A number is out of range.");
  }

  /// Calls visit(first, second) for so many pairs of numbers up to `most_first` and `most_second`:
  /// buckets of a histogram, most of them of a byte or two each, of which there are hundreds.
  template <typename Visit>
  void each_pair(std::uint64_t pairs, std::uint64_t most_first, std::uint64_t most_second,
                 Visit&& visit) {
    // What is read and from where stays out of memory, which visit() may write to.
    const auto bytes = bytes_;
    std::size_t at = at_;
    const auto next = [&](std::uint64_t most) {
      if (bytes.size() - at >= 2) [[likely]] {
        const auto low = std::to_integer<std::uint64_t>(bytes[at]);
        const auto high = std::to_integer<std::uint64_t>(bytes[at + 1]);
        if (low < 0x80 && low <= most) {
          ++at;
          return low;
        }
        const std::uint64_t both = (low & 0x7FU) | high << 7U;
        if (low >= 0x80 && high != 0 && high < 0x80 && both <= most) {
          at += 2;
          return both;
        }
      }
      at_ = at;
      const auto value = static_cast<std::uint64_t>(number(most));
      at = at_;
      return value;
    };
    const bool any_byte = most_first >= 0x7F && most_second >= 0x7F;
    while (pairs > 0) {
      // Four pairs at once, as long as each of their numbers is a byte.
      if (any_byte && pairs >= 4 && bytes.size() - at >= 8) {
        const std::uint64_t eight = load_eight(&bytes[at]);
        if ((eight & 0x8080808080808080U) == 0) [[likely]] {
          visit(eight & 0x7FU, eight >> 8U & 0x7FU);
          visit(eight >> 16U & 0x7FU, eight >> 24U & 0x7FU);
          visit(eight >> 32U & 0x7FU, eight >> 40U & 0x7FU);
          visit(eight >> 48U & 0x7FU, eight >> 56U);
          pairs -= 4;
          at += 8;
          continue;
        }
      }
      const std::uint64_t first = next(most_first);
      visit(first, next(most_second));
      --pairs;
    }
    at_ = at;
  }

  /// How many bytes are left.
  [[nodiscard]] std::size_t left() const noexcept { return bytes_.size() - at_; }

  /// The next so many bytes.
  std::span<const std::byte> take(std::size_t count) {
    // Not `at_ + count`, which may wrap round.
    if (bytes_.size() - at_ < count) refuse("It ends too early.");
    const auto taken = bytes_.subspan(at_, count);
    at_ += count;
    return taken;
  }

  [[nodiscard]] bool at_end() const noexcept { return at_ == bytes_.size(); }

  /// Throws 22P03 with what is wrong with the state.
  [[noreturn]] static void refuse(std::string_view why) {
    throw error("22P03", "invalid call statistics").detail(std::string(why));
  }

 private:
  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
};

}  // namespace vrm
