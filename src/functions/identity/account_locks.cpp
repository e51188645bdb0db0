// Reads vrm_private.account_locks without privileges of the caller's, and keeps it in the backend
// until the table changes.
#include "functions/identity/account_locks.h"

#include <algorithm>
#include <vector>

#include "boundary/call/function.h"
#include "boundary/table/scan.h"
#include "core/platform/on_first_use.h"
#include "functions/platform/settings.h"

extern "C" {
#include "utils/timestamp.h"
}

namespace vrm::sql {
namespace account_locks {
namespace {

constinit pg::watched_table watched("vrm_private", "account_locks", "account_locks_pkey");

struct lock {
  vrm::uuid user{};
  std::int64_t until = 0;
};
vrm::on_first_use<std::vector<lock>> known;  ///< in the order of the index, which is that of uuid

/// Runs inside a guard: what it fills is kept outside.
void keep_row(HeapTuple row, TupleDesc columns) {
  bool null = false;
  const Datum user = heap_getattr(row, 1, columns, &null);
  const Datum until = heap_getattr(row, 2, columns, &null);
  // The scan goes along the index, so the list is in order without being sorted.
  known->push_back(
      {.user = pg::datum_traits<vrm::uuid>::from(user), .until = DatumGetTimestampTz(until)});
}

}  // namespace

bool is_locked(const vrm::uuid& user, std::int64_t now) {
  if (watched.changed()) [[unlikely]] {
    watched.reload([] {
      known->clear();
      watched.read(nullptr, 0, keep_row);
    });
  }
  const auto found = std::ranges::lower_bound(*known, user, {}, &lock::user);
  return found != known->end() && found->user == user && found->until > now;
}

void watch() { watched.watch(); }

}  // namespace account_locks

void watch_account_locks() { account_locks::watch(); }

}  // namespace vrm::sql
