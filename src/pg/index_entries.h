#pragma once

#include "pg/backend.h"

extern "C" {
#include "executor/executor.h"
#include "nodes/execnodes.h"
}

namespace pg {

/// Puts a row that has just been inserted into the indexes of its table.  Runs inside a guard.
inline void insert_index_entries(ResultRelInfo* result, TupleTableSlot* slot, EState* state) {
#if PG_VERSION_NUM >= 160000
  list_free(ExecInsertIndexTuples(result, slot, state, false, false, nullptr, NIL, false));
#else
  list_free(ExecInsertIndexTuples(result, slot, state, false, false, nullptr, NIL));
#endif
}

}  // namespace pg
