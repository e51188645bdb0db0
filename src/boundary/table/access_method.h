#pragma once

#include "boundary/backend.h"

extern "C" {
#include "access/tableam.h"
}

/// What a table access method finds under other names and types in each version of PostgreSQL.
namespace pg {

#if PG_VERSION_NUM >= 160000
using file_locator = RelFileLocator;
using index_updates = TU_UpdateIndexes;
inline constexpr auto set_new_file = &TableAmRoutine::relation_set_new_filelocator;
#else
using file_locator = RelFileNode;
using index_updates = bool;
inline constexpr auto set_new_file = &TableAmRoutine::relation_set_new_filenode;
#endif

/// ANALYZE finds no rows: the planner is content with relation_estimate_size.
inline void leave_unanalyzed(TableAmRoutine& routine) {
#if PG_VERSION_NUM >= 170000
  routine.scan_analyze_next_block = [](TableScanDesc, ReadStream*) { return false; };
#else
  routine.scan_analyze_next_block = [](TableScanDesc, BlockNumber, BufferAccessStrategy) {
    return false;
  };
#endif
  routine.scan_analyze_next_tuple = [](TableScanDesc, TransactionId, double*, double*,
                                       TupleTableSlot*) { return false; };
}

}  // namespace pg
