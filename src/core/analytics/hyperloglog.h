#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <span>
#include <string_view>
#include <vector>

namespace vrm {

/// A hash of text that is the same on every platform and in every version.
[[nodiscard]] std::uint64_t stable_hash(std::string_view text) noexcept;

/// Spreads a number over 64 bits; one to one (the finalizer of MurmurHash3).
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t value) noexcept {
  value = (value ^ (value >> 33)) * 0xFF51AFD7ED558CCDULL;
  value = (value ^ (value >> 33)) * 0xC4CEB9FE1A85EC53ULL;
  return value ^ (value >> 33);
}

/// Counts distinct hashes: exactly up to 256 of them, which it remembers, and then by HyperLogLog
/// with 2^12 registers (standard error 1.6 %).  What it holds depends on the set of hashes alone,
/// not on their order or on who has merged what.
class hyperloglog {
 public:
  static constexpr int precision = 12;
  static constexpr std::size_t registers = std::size_t{1} << precision;
  static constexpr std::size_t most_exact = 256;
  static constexpr std::uint8_t highest = 64 - precision + 1;  ///< value of a register

  explicit hyperloglog(std::pmr::memory_resource* memory) noexcept
      : exact_(memory), dense_(memory) {}

  /// `hash` has to be as good as random in all its bits: mix() makes it so.
  void add(std::uint64_t hash) {
    if (dense_.empty()) [[unlikely]] {
      add_exact(hash);
    } else {
      // The highest bits choose the register; rank_of() looks at those that are left.
      raise(hash >> (64 - precision), rank_of(hash));
    }
  }
  void merge(const hyperloglog& other);

  /// How many distinct hashes there were, about, once there are more than 256.
  [[nodiscard]] std::int64_t estimate() const noexcept;

  /// The hashes in ascending order; empty when they are too many.
  [[nodiscard]] std::span<const std::uint64_t> exact() const noexcept { return exact_; }
  /// The registers; empty as long as it is exact.
  [[nodiscard]] std::span<const std::uint8_t> dense() const noexcept { return dense_; }
  /// Adds what another one has as registers: how a dense state is read back.
  /// Each of them is at most `highest`, which the caller has checked.
  void merge(std::span<const std::uint8_t, registers> dense);

 private:
  void raise(std::size_t index, std::uint8_t value) noexcept {
    dense_[index] = std::max(dense_[index], value);
  }
  static std::uint8_t rank_of(std::uint64_t hash) noexcept {
    // The rank of the first bit that is set, in what the index has left over.
    const std::uint64_t rest = hash << precision;
    return rest == 0 ? highest : static_cast<std::uint8_t>(std::countl_zero(rest) + 1);
  }
  void add_exact(std::uint64_t hash);
  void become_dense();

  std::pmr::vector<std::uint64_t> exact_;  ///< in ascending order, each once
  std::pmr::vector<std::uint8_t> dense_;   ///< none while exact_ will do
};

}  // namespace vrm
