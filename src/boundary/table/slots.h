#pragma once

#include <cstdint>

#include "boundary/backend.h"
#include "boundary/error/guard.h"

extern "C" {
#include "storage/lock.h"
}

namespace pg {

/// One of a limited number of slots in this database, held for a scope: bounds how many backends
/// do something expensive at once, without shared memory of our own.
///
/// A slot is a lock in the table that advisory locks live in, of a class that SQL cannot ask for.
/// Waiting heeds lock_timeout and cancellation; the end of the transaction frees it at the latest.
class slot {
 public:
  slot(std::uint32_t purpose, std::uint32_t slots) {
    // Where to begin depends on the process, so that not all try, and wait for, the same slot.
    const auto first = static_cast<std::uint32_t>(MyProcPid) % slots;
    for (std::uint32_t i = 0; i < slots; ++i) {
      if (try_take(purpose, (first + i) % slots, true)) return;
    }
    // None was free: waits for the first, whichever of the others is freed sooner.
    (void)try_take(purpose, first, false);
  }
  ~slot() { LockRelease(&tag_, ExclusiveLock, false); }
  slot(const slot&) = delete;
  slot& operator=(const slot&) = delete;

 private:
  /// Whether it was free; without `at_once` it waits, and only an ERROR ends that otherwise.
  bool try_take(std::uint32_t purpose, std::uint32_t number, bool at_once) {
    constexpr std::uint16_t not_sql = 3;  // SQL's advisory locks are of class 1 and 2
    SET_LOCKTAG_ADVISORY(tag_, MyDatabaseId, purpose, number, not_sql);
    return guarded(
        [&] { return LockAcquire(&tag_, ExclusiveLock, false, at_once) != LOCKACQUIRE_NOT_AVAIL; });
  }

  LOCKTAG tag_{};
};

}  // namespace pg
