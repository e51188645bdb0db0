#pragma once

#include <vector>

#include "boundary/table/relation.h"

extern "C" {
#include "storage/lmgr.h"
}

namespace pg {

/// Tables that nobody else may write, for a scope that may have several transactions.
///
/// The locks outlive ROLLBACK: only the destructor, or the end of the backend, lets go of them.
class session_locks {
 public:
  session_locks() = default;
  ~session_locks() { release(); }
  session_locks(const session_locks&) = delete;
  session_locks& operator=(const session_locks&) = delete;

  /// Waits for those who write; heeds lock_timeout.
  void take(Oid table) {
    held_.reserve(held_.size() + 1);  // what is locked must not be forgotten for want of memory
    LockRelId id = {.relId = table, .dbId = MyDatabaseId};
    // ShareLock keeps writers out, but neither readers nor another of its kind.
    guarded([&] { LockRelationIdForSession(&id, ShareLock); });
    held_.push_back(id);
  }

  void release() noexcept {
    for (LockRelId& id : held_) UnlockRelationIdForSession(&id, ShareLock);
    held_.clear();
  }

 private:
  std::vector<LockRelId> held_;
};

}  // namespace pg
