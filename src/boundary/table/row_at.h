#pragma once

#include "boundary/table/relation.h"
#include "boundary/value/tuple.h"

extern "C" {
#include "access/tableam.h"
#include "executor/tuptable.h"
#include "utils/snapmgr.h"
}

namespace pg {

/// A copy of the row at `place` as the query sees it; nullptr when it sees none there.
inline HeapTuple row_at(Relation table, ItemPointerData place) {
  return guarded([&]() -> HeapTuple {
    if (table->rd_tableam == nullptr) return nullptr;  // partitioned, foreign
    // A slot of the table's own kind, since only its access method knows how to fill it.
    TupleTableSlot* const slot = table_slot_create(table, nullptr);
    const bool found = table_tuple_fetch_row_version(table, &place, GetActiveSnapshot(), slot);
    const HeapTuple row = found ? ExecCopySlotHeapTuple(slot) : nullptr;
    ExecDropSingleTupleTableSlot(slot);
    return row;
  });
}

}  // namespace pg
