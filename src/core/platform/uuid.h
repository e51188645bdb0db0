#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace vrm {

/// A UUID in network byte order, as PostgreSQL stores it.
struct uuid {
  std::array<std::uint8_t, 16> bytes;  ///< in the order of the text form, which is that of sorting

  friend constexpr auto operator<=>(const uuid&, const uuid&) = default;
};

/// Makes a version 7 UUID (RFC 9562, 5.7) of a moment and 74 random bits out of `random`.
///
/// The 12 bits after the milliseconds hold the fraction of the millisecond (6.2, method 3), so
/// ids of one backend sort in the order of their making down to a quarter of a microsecond.
[[nodiscard]] uuid uuid7(std::uint64_t unix_nanoseconds, std::span<const std::uint8_t, 8> random);

/// Reads the canonical form "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" in either case, nothing else.
[[nodiscard]] std::optional<uuid> parse_uuid(std::string_view text) noexcept;

/// The canonical form.
[[nodiscard]] std::string to_string(const uuid& id);

}  // namespace vrm
