#pragma once

#include "core/accounts/lockout_ticket.h"

/// What vrm.lockout_policy says and the secret that keys are hashed with, as one backend knows
/// them.
namespace vrm::sql::lockout_policy {

/// How strict to be with attempts of that kind.
/// Of the latest commit, without privileges of the caller's.
[[nodiscard]] const vrm::lockout::policy& of(vrm::lockout::kind kind);

/// Hashes of this database.  Throws 55000 when its secret is missing.
[[nodiscard]] vrm::lockout::keyed_hash& hash();

/// Once, from _PG_init.
void watch();

}  // namespace vrm::sql::lockout_policy
