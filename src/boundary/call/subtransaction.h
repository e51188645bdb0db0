#pragma once

#include <exception>

#include "boundary/error/guard.h"

extern "C" {
#include "access/xact.h"
#include "utils/resowner.h"
}

namespace pg {

/// Runs `body` in a subtransaction; when it throws, what it did is undone and the exception goes
/// on.
template <typename Body>
void in_subtransaction(const Body& body) {
  // The subtransaction brings a context and a resource owner that go with it.
  const MemoryContext context = CurrentMemoryContext;
  const ResourceOwner resources = CurrentResourceOwner;
  guarded([] { BeginInternalSubTransaction(nullptr); });
  MemoryContextSwitchTo(context);
  // Outlives the rollback: pg::error keeps its ErrorData in a context of its own.
  std::exception_ptr thrown;
  try {
    body();
  } catch (...) {
    thrown = std::current_exception();
  }
  const bool keep = thrown == nullptr;  // not in the handler: it may raise an ERROR itself
  guarded([keep] {
    if (keep) {
      ReleaseCurrentSubTransaction();
    } else {
      RollbackAndReleaseCurrentSubTransaction();
    }
  });
  MemoryContextSwitchTo(context);
  CurrentResourceOwner = resources;
  if (!keep) std::rethrow_exception(thrown);
}

}  // namespace pg
