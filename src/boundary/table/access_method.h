#pragma once

#include <type_traits>

#include "boundary/backend.h"

extern "C" {
#include "access/tableam.h"
#include "access/xact.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
}

/// What a table access method, or who calls one, finds under other names and types in each version
/// of PostgreSQL.
namespace pg {

#if PG_VERSION_NUM >= 190000
using row_options = uint32;
using page_lock = BufferLockMode;
#else
using row_options = int;
using page_lock = int;
#endif

#if PG_VERSION_NUM >= 160000
using file_locator = RelFileLocator;
using index_updates = TU_UpdateIndexes;
inline constexpr auto set_new_file = &TableAmRoutine::relation_set_new_filelocator;
#else
using file_locator = RelFileNode;
using index_updates = bool;
inline constexpr auto set_new_file = &TableAmRoutine::relation_set_new_filenode;
#endif

/// A callback that looks at none of its arguments, which differ between versions.
template <class Call>
class whatever_it_is_given {
 public:
  explicit constexpr whatever_it_is_given(Call) noexcept {}

  template <class Result, class... Arguments>
  using callback = Result (*)(Arguments...);
  template <class Result, class... Arguments>
  constexpr operator callback<Result, Arguments...>() const noexcept {
    return [](Arguments...) -> Result {
      if constexpr (std::is_same_v<Result, std::invoke_result_t<Call>>) {
        return Call{}();
      } else {
        Call{}();
        pg_unreachable();
      }
    };
  }
};

/// ANALYZE finds no rows: the planner is content with relation_estimate_size.
inline void leave_unanalyzed(TableAmRoutine& routine) {
#if PG_VERSION_NUM >= 170000
  routine.scan_analyze_next_block = [](TableScanDesc, ReadStream*) { return false; };
#else
  routine.scan_analyze_next_block = [](TableScanDesc, BlockNumber, BufferAccessStrategy) {
    return false;
  };
#endif
  routine.scan_analyze_next_tuple = whatever_it_is_given([] { return false; });
}

/// VACUUM FULL by a function that looks at no snapshot and at no index.
template <void (*copy)(Relation from, Relation into, TransactionId* freeze_xid,
                       MultiXactId* min_multi, double* copied, double* dead)>
void copy_by(TableAmRoutine& routine) {
#if PG_VERSION_NUM >= 190000
  routine.relation_copy_for_cluster =
      [](Relation from, Relation into, Relation, bool, TransactionId, Snapshot,
         TransactionId* freeze_xid, MultiXactId* min_multi, double* copied, double*,
         double* dead) { copy(from, into, freeze_xid, min_multi, copied, dead); };
#else
  routine.relation_copy_for_cluster =
      [](Relation from, Relation into, Relation, bool, TransactionId, TransactionId* freeze_xid,
         MultiXactId* min_multi, double* copied, double*,
         double* dead) { copy(from, into, freeze_xid, min_multi, copied, dead); };
#endif
}

/// The checksum of a page that is written without going through shared buffers.
inline void set_checksum(Page page, BlockNumber number) {
#if PG_VERSION_NUM >= 190000
  PageSetChecksum(page, number);
#else
  PageSetChecksumInplace(page, number);
#endif
}

inline TableScanDesc begin_scan(Relation table, Snapshot snapshot) {
#if PG_VERSION_NUM >= 190000
  return table_beginscan(table, snapshot, 0, nullptr, SO_NONE);
#else
  return table_beginscan(table, snapshot, 0, nullptr);
#endif
}

/// Deletes the version of a row that `snapshot` sees.
inline TM_Result delete_row(Relation table, ItemPointer place, Snapshot snapshot, bool wait,
                            TM_FailureData* failure) {
  const CommandId command = GetCurrentCommandId(true);
#if PG_VERSION_NUM >= 190000
  return table_tuple_delete(table, place, command, 0, snapshot, InvalidSnapshot, wait, failure);
#else
  return table_tuple_delete(table, place, command, snapshot, InvalidSnapshot, wait, failure, false);
#endif
}

/// Updates the version of a row that `snapshot` sees.
inline TM_Result update_row(Relation table, ItemPointer place, TupleTableSlot* row,
                            Snapshot snapshot, index_updates* indexes) {
  TM_FailureData failure;
  LockTupleMode mode{};
  const CommandId command = GetCurrentCommandId(true);
#if PG_VERSION_NUM >= 190000
  return table_tuple_update(table, place, row, command, 0, snapshot, InvalidSnapshot, true,
                            &failure, &mode, indexes);
#else
  return table_tuple_update(table, place, row, command, snapshot, InvalidSnapshot, true, &failure,
                            &mode, indexes);
#endif
}

}  // namespace pg
