// Writes to a table below the executor.
#include "boundary/table/target_table.h"

#include "boundary/table/access_method.h"
#include "boundary/table/index_entries.h"

extern "C" {
#include "access/heapam.h"
#include "access/xact.h"
#include "storage/bufmgr.h"
#include "utils/snapmgr.h"
}

namespace pg {
namespace {

#if PG_VERSION_NUM >= 160000
bool is_needed(index_updates update) noexcept { return update != TU_None; }
#else
bool is_needed(index_updates update) noexcept { return update; }
#endif

}  // namespace

void target_table::open(relation_id table) {
  // The lock of INSERT and UPDATE.  CREATE INDEX waits for it, and CREATE INDEX CONCURRENTLY waits
  // for the end of this transaction before it relies on its index, so the indexes that are opened
  // here are all that entries have to be made in.
  refuse_spread(table.oid);
  relation_ = open_table(table, RowExclusiveLock);
  state_ = CreateExecutorState();
  result_ = makeNode(ResultRelInfo);
  InitResultRelInfo(result_, relation_, 0, nullptr, 0);
  ExecOpenIndices(result_, false);
}

void target_table::close() {
  ExecCloseIndices(result_);
  FreeExecutorState(state_);
  // The lock stays until the transaction ends, as that of every write.
  table_close(relation_, NoLock);
}

void target_table::check_constraints(TupleTableSlot* slot) const {
  if (descriptor()->constr != nullptr) ExecConstraints(result_, slot, state_);
}

void target_table::check_partition(TupleTableSlot* slot) const {
  ExecPartitionCheck(result_, slot, state_, true);
}

void target_table::add_index_entries(TupleTableSlot* slot) const {
  if (result_->ri_NumIndices > 0) insert_index_entries(result_, slot, state_);
}

/// Whether somebody is changing or locking the row at `place`, or it is gone.
bool target_table::is_taken(ItemPointerData place) const {
  const Buffer buffer = ReadBuffer(relation_, ItemPointerGetBlockNumber(&place));
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  const Page page = BufferGetPage(buffer);
  const ItemId line = PageGetItemId(page, ItemPointerGetOffsetNumber(&place));
  bool taken = true;
  if (ItemIdIsNormal(line)) {
    HeapTupleData row{};
    row.t_len = ItemIdGetLength(line);
    row.t_self = place;
    row.t_tableOid = RelationGetRelid(relation_);
    row.t_data = reinterpret_cast<HeapTupleHeader>(PageGetItem(page, line));
    taken = HeapTupleSatisfiesUpdate(&row, GetCurrentCommandId(true), buffer) != TM_Ok;
  }
  UnlockReleaseBuffer(buffer);
  return taken;
}

bool target_table::update(ItemPointerData place, TupleTableSlot* slot) const {
  index_updates indexes{};
  slot->tts_tableOid = RelationGetRelid(relation_);
  // A row that somebody else is changing is left alone.  Looked at before, as heap_update() cannot
  // be asked not to wait: for who comes in between, it does.  The snapshot is the one that the row
  // was seen with, so that a version that came after is not overwritten.
  if (is_taken(place)) return false;
  if (update_row(relation_, &place, slot, GetActiveSnapshot(), &indexes) != TM_Ok) return false;
  // A heap-only update stays on its page and needs no entries, or those of BRIN alone.
  if (result_->ri_NumIndices > 0 && is_needed(indexes)) {
#if PG_VERSION_NUM >= 160000
    insert_index_entries(result_, slot, state_, true, indexes == TU_Summarizing);
#else
    insert_index_entries(result_, slot, state_, true);
#endif
  }
  return true;
}

}  // namespace pg
