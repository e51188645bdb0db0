#pragma once

#include <cstdint>

#include "core/platform/uuid.h"

/// Sessions of our own tokens, as one backend knows them.
///
/// A token is good for as long as its session is: there, committed and not ended.  The row of a
/// session belongs to the transaction that signed in, so a sign-in that is rolled back leaves a
/// token that nobody takes; its end does not, so nothing that ROLLBACK does brings it back.
namespace vrm::sql::sessions {

/// What a session allows.
enum class state : std::uint8_t { ended, open, open_with_second_factor };

/// Throws 55000 when it cannot be asked.
[[nodiscard]] state of(const vrm::uuid& user, const vrm::uuid& session);

/// Differs whenever what of() has said may not hold any more.
[[nodiscard]] std::uint64_t generation();

/// Has all backends ask again, at once and whatever becomes of the transaction.
void announce_end();

}  // namespace vrm::sql::sessions
