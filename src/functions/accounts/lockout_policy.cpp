// Reads vrm.lockout_policy and vrm_private.lockout_secret without privileges of the caller's, and
// keeps them in the backend until either table changes.
#include "functions/accounts/lockout_policy.h"

#include <array>
#include <optional>

#include "boundary/table/scan.h"
#include "boundary/value/datum.h"
#include "core/platform/error.h"
#include "core/platform/on_first_use.h"

namespace vrm::sql::lockout_policy {
namespace {

using vrm::lockout::kind_names;

constinit pg::watched_table policies("vrm", "lockout_policy", "lockout_policy_pkey");
constinit pg::watched_table secrets("vrm_private", "lockout_secret", "lockout_secret_pkey");

std::array<vrm::lockout::policy, kind_names.size()> known;
vrm::on_first_use<std::optional<vrm::lockout::keyed_hash>> hasher;

/// Columns of vrm.lockout_policy, all NOT NULL; a CHECK keeps months out of the intervals.
enum column : std::uint8_t {
  kind = 1,
  threshold,
  attempt_window,
  base_lock,
  factor,
  max_lock,
  consecutive_cap,
  reservation,
};

std::int64_t microseconds(Datum datum) noexcept {
  const Interval* const span = DatumGetIntervalP(datum);
  return span->time + (span->day * USECS_PER_DAY);
}

void keep_policy(HeapTuple row, TupleDesc descriptor) {
  const auto value = [&](column number) {
    bool null = false;
    return heap_getattr(row, number, descriptor, &null);
  };
  const auto name = pg::datum_traits<std::string_view>::from(value(kind));
  for (std::size_t i = 1; i < kind_names.size(); ++i) {
    // Kinds that this version does not know have no place here.
    if (kind_names[i] != name) continue;
    known[i] = {
        // CHECKs of the table keep both counts within 16 bits.
        .threshold = static_cast<std::uint16_t>(DatumGetInt32(value(threshold))),
        .window = microseconds(value(attempt_window)),
        .base_lock = microseconds(value(base_lock)),
        .factor = DatumGetFloat8(value(factor)),
        .max_lock = microseconds(value(max_lock)),
        .consecutive_cap = static_cast<std::uint16_t>(DatumGetInt32(value(consecutive_cap))),
        .reservation = microseconds(value(reservation))};
  }
}

}  // namespace

const vrm::lockout::policy& of(vrm::lockout::kind kind) {
  if (policies.changed()) [[unlikely]] {
    policies.reload([] {
      // A kind without a row has the defaults of the policy.
      known = {};
      policies.read(nullptr, 0, keep_policy);
    });
  }
  return known[static_cast<std::size_t>(kind)];
}

vrm::lockout::keyed_hash& hash() {
  if (secrets.changed() || !*hasher) [[unlikely]] {
    secrets.reload([] {
      std::array<std::byte, 32> secret{};
      bool found = false;
      secrets.read(nullptr, 0, [&](HeapTuple row, TupleDesc descriptor) {
        bool null = false;
        const Datum datum = heap_getattr(row, 2, descriptor, &null);
        if (null) return;
        const auto bytes = pg::datum_traits<std::span<const std::byte>>::from(datum);
        // A row of another size is none: keys are not to be hashed with half a secret.
        found = bytes.size() == secret.size();
        if (found) std::memcpy(secret.data(), bytes.data(), secret.size());
      });
      hasher->reset();
      if (found) hasher->emplace(secret);
      vrm::openssl::wipe(secret);
    });
  }
  if (!*hasher) {
    throw vrm::error("55000", "the secret of the lockout store is missing")
        .detail("Table vrm_private.lockout_secret has no row of 32 bytes.")
        .hint("SELECT vrm.install();");
  }
  return **hasher;
}

void watch() {
  policies.watch();
  secrets.watch();
}

}  // namespace vrm::sql::lockout_policy
