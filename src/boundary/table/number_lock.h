#pragma once

#include <cstdint>

#include "boundary/backend.h"
#include "boundary/error/guard.h"

extern "C" {
#include "access/xact.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "utils/inval.h"
}

/// Locks on numbers that mean something to a table.  They are of this database, last until the
/// transaction ends, also when it is prepared first, and nobody else can take or block them: unlike
/// advisory locks they have no SQL of their own.
namespace pg {

/// The subtransaction that runs.  A lock taken in one may be gone in another.
struct transaction_part {
  LocalTransactionId transaction;
  SubTransactionId part;

  static transaction_part current() noexcept {
#if PG_VERSION_NUM >= 170000
    const LocalTransactionId transaction = MyProc->vxid.lxid;
#else
    const LocalTransactionId transaction = MyProc->lxid;
#endif
    return {.transaction = transaction, .part = GetCurrentSubTransactionId()};
  }
  friend bool operator==(const transaction_part&, const transaction_part&) = default;
};

namespace detail {

inline LOCKTAG tag_of(Oid table, std::uint64_t number) noexcept {
  LOCKTAG tag{};
  // Two numbers may share a lock: then one waits in vain, but nothing else is wrong.
  // The class is the table itself, where PostgreSQL takes none: its own are OIDs of catalogs.
  SET_LOCKTAG_OBJECT(tag, MyDatabaseId, table, static_cast<std::uint32_t>(number ^ (number >> 32)),
                     0);
  return tag;
}

}  // namespace detail

/// Waits for whoever has the number for itself; afterwards their commit is known here.
inline void lock_number_shared(Oid table, std::uint64_t number) {
  guarded([&] {
    const LOCKTAG tag = detail::tag_of(table, number);
    static_cast<void>(LockAcquire(&tag, RowShareLock, false, false));
    // LockAcquire() does not read what others have sent, as locking a relation does.
    AcceptInvalidationMessages();
  });
}

/// Takes the number for this transaction alone, unless somebody else has it.
/// Does not wait: false then.
inline bool lock_number_alone(Oid table, std::uint64_t number) {
  return guarded([&] {
    const LOCKTAG tag = detail::tag_of(table, number);
    const bool free = LockAcquire(&tag, ExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL;
    AcceptInvalidationMessages();
    return free;
  });
}

}  // namespace pg
