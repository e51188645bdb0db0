#pragma once

#include <exception>

#include "boundary/error/guard.h"

extern "C" {
#include "access/xact.h"
#include "utils/snapmgr.h"
}

namespace pg {

/// What others have committed until now, and this transaction has done before.  After an error
/// the end of the transaction takes it back.
class fresh_snapshot {
 public:
  fresh_snapshot() {
    guarded([] {
      CommandCounterIncrement();
      PushActiveSnapshot(GetTransactionSnapshot());
    });
  }
  ~fresh_snapshot() {
    if (std::uncaught_exceptions() == exceptions_) PopActiveSnapshot();
  }
  fresh_snapshot(const fresh_snapshot&) = delete;
  fresh_snapshot& operator=(const fresh_snapshot&) = delete;

 private:
  int exceptions_ = std::uncaught_exceptions();
};

}  // namespace pg
