#pragma once

#include "boundary/backend.h"

extern "C" {
#include "executor/executor.h"
#include "nodes/execnodes.h"
}

namespace pg {

/// Puts a row that has just been written into the indexes of its table.  Runs inside a guard.
///
/// `is_update`: another version of the row is in the same indexes, mostly under the same key.
inline void insert_index_entries(ResultRelInfo* result, TupleTableSlot* slot, EState* state,
                                 bool is_update = false,
                                 [[maybe_unused]] bool only_summarizing = false) {
#if PG_VERSION_NUM >= 190000
  const auto flags = static_cast<uint32>((is_update ? EIIT_IS_UPDATE : 0) |
                                         (only_summarizing ? EIIT_ONLY_SUMMARIZING : 0));
  list_free(ExecInsertIndexTuples(result, state, flags, slot, NIL, nullptr));
#elif PG_VERSION_NUM >= 160000
  list_free(
      ExecInsertIndexTuples(result, slot, state, is_update, false, nullptr, NIL, only_summarizing));
#else
  list_free(ExecInsertIndexTuples(result, slot, state, is_update, false, nullptr, NIL));
#endif
}

}  // namespace pg
