// Reading on a standby what was written on its primary.
#include <algorithm>
#include <chrono>
#include <optional>

#include "boundary/call/function.h"
#include "boundary/call/procedure.h"
#include "boundary/table/wal.h"
#include "core/platform/error.h"

extern "C" {
#include "access/xact.h"
#include "access/xlog.h"
}

namespace vrm::sql {
namespace {

using std::chrono::microseconds;
using clock = std::chrono::steady_clock;

constexpr const char* example = "SELECT vrm.wait_for('0/3000148', '5 s');";
constexpr microseconds longest_wait = std::chrono::days(1);
constexpr microseconds longest_pause = std::chrono::milliseconds(10);

/// Nobody else tells when a place was replayed; so it is asked often at first, and then every 10
/// ms.
bool replayed_before(XLogRecPtr place, clock::time_point end) {
  for (microseconds pause = std::chrono::milliseconds(1);;
       pause = std::min(2 * pause, longest_pause)) {
    // Looked at before the clock: with a timeout of 0 it still looks once.
    if (pg::visible_until().lsn >= place) return true;
    const auto left = std::chrono::ceil<microseconds>(end - clock::now());
    // a server that was promoted meanwhile has all that it will ever have of its primary
    if (left.count() <= 0 || !pg::guarded([] { return RecoveryInProgress(); })) {
      return pg::visible_until().lsn >= place;
    }
    pg::procedure_call::sleep(std::min(pause, left));
  }
}

}  // namespace

/// Whether this server has a place of the WAL before the time is out.
bool wait_for(std::optional<pg::wal_location> lsn, std::optional<microseconds> timeout) {
  if (!lsn || !timeout) {
    throw vrm::error("22004", !lsn ? "lsn must not be null" : "timeout must not be null")
        .hint(example);
  }
  if (timeout->count() < 0) {
    throw vrm::error("22023", "timeout must not be negative")
        .detail("With 0 it only looks.")
        .hint(example);
  }
  if (pg::visible_until().lsn >= lsn->lsn) return true;
  if (IsolationUsesXactSnapshot()) {
    throw vrm::error("25001", "waiting for a replica needs isolation level READ COMMITTED")
        .detail("This transaction goes on seeing what it saw first.")
        .hint("BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED;");
  }
  return replayed_before(lsn->lsn, clock::now() + std::min(*timeout, longest_wait));
}

}  // namespace vrm::sql

PG_EXPORT(vrm_wait_for, vrm::sql::wait_for);
