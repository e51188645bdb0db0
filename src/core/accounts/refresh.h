#pragma once

#include <cstdint>

#include "core/accounts/lockout.h"

/// Refresh tokens (RFC 9700, 4.14.2): used once, but for those who send one twice at once.
namespace vrm::refresh {

/// How long after its first use a token gives the same successor again, in microseconds.
inline constexpr std::int64_t grace = 10'000'000;

/// How long a session lives that is not refreshed.
inline constexpr std::int64_t life = 30 * std::int64_t{86'400'000'000};

/// What became of a token that somebody has sent.
enum class use : std::uint8_t {
  first,   ///< the token was good, and is used from now on
  again,   ///< it has been used a moment ago, and nothing since
  reused,  ///< somebody else has it: this has ended the session
  ended,   ///< the session is over
};

/// Uses token number `counter` of a session; `known` is the newest that was ever given out for
/// sure.
/// `session` is an entry of kind session, locked by the caller; no other function here changes it.
[[nodiscard]] use rotate(lockout::entry& session, std::int64_t counter, std::int64_t known,
                         lockout::moment now) noexcept;

}  // namespace vrm::refresh
