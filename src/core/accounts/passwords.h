#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// Password hashes: Argon2id (RFC 9106) as PHC strings; bcrypt is verified for those who come with
/// it.
namespace vrm::passwords {

/// What new hashes cost: 19 MiB, two passes, one lane (OWASP's second choice of equal strength).
inline constexpr std::uint32_t memory_kib = 19456;
inline constexpr std::uint32_t passes = 2;
inline constexpr std::uint32_t lanes = 1;

/// A hash that costs more is refused before any work is done: one of bcrypt's cost 31 would keep a
/// backend busy for days, and nothing could stop it.
inline constexpr std::uint32_t most_memory_kib = 256 * 1024;
inline constexpr std::uint32_t most_passes = 20;
inline constexpr std::uint32_t most_lanes = 16;
inline constexpr int most_bcrypt_cost = 14;

/// A bound on what anybody can have hashed with one call.
inline constexpr std::size_t longest_password = 4096;

/// A fresh hash with a salt of its own.
[[nodiscard]] std::string hash(std::string_view password);

/// Whether `password` is the one that `stored` was made of.  Throws 22023, without any work, when
/// `stored` is no hash that we know or would cost too much.
[[nodiscard]] bool matches(std::string_view stored, std::string_view password);

/// Whether `stored` should be replaced at the next sign-in.
[[nodiscard]] bool is_outdated(std::string_view stored) noexcept;

}  // namespace vrm::passwords
