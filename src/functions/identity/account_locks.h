#pragma once

#include <cstdint>

#include "core/platform/uuid.h"

/// Locks made by hand, as one backend knows them: there are few, and every statement asks.
namespace vrm::sql::account_locks {

/// Whether an administrator has locked the account at that moment (a timestamptz as it is).
[[nodiscard]] bool is_locked(const vrm::uuid& user, std::int64_t now);

void watch();

}  // namespace vrm::sql::account_locks
