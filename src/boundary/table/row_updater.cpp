// Replaces values of one column below the executor, and knows where that would leave something out.
#include "boundary/table/row_updater.h"

#include "boundary/value/tuple.h"

extern "C" {
#include "access/xact.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/memutils.h"
#include "utils/relcache.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
}

namespace pg {
namespace {

/// Those of foreign keys have nothing to do unless a column of the key changes.
bool has_other_triggers(const TriggerDesc* triggers, Oid own) {
  for (int i = 0; triggers != nullptr && i < triggers->numtriggers; ++i) {
    const Trigger& trigger = triggers->triggers[i];
    if (TRIGGER_FOR_UPDATE(trigger.tgtype) && trigger.tgfoid != own &&
        RI_FKey_trigger_type(trigger.tgfoid) == RI_TRIGGER_NONE) {
      return true;
    }
  }
  return false;
}

/// Whether foreign keys, of this table or of others, may be about the column.
bool is_in_keys(Relation table, AttrNumber column) {
  // Columns of unique indexes, which foreign keys of other tables may point to.
  Bitmapset* const keys = RelationGetIndexAttrBitmap(table, INDEX_ATTR_BITMAP_KEY);
  if (bms_is_member(column - FirstLowInvalidHeapAttributeNumber, keys)) return true;
  ListCell* cell = nullptr;
  foreach (cell, RelationGetFKeyList(table)) {
    const auto* const key = static_cast<const ForeignKeyCacheInfo*>(lfirst(cell));
    const std::span columns(key->conkey, static_cast<std::size_t>(key->nkeys));
    for (const AttrNumber one : columns) {
      if (one == column) return true;
    }
  }
  return false;
}

/// What the executor would check and nobody else does down here: the privilege on the whole table,
/// one on the column alone does not count, and row level security, whose policies are not
/// evaluated.  `true`: who is bound by policies is told so by the result, not by an ERROR.
bool is_allowed(Relation table) {
  const Oid oid = RelationGetRelid(table);
  return pg_class_aclcheck(oid, GetUserId(), ACL_UPDATE) == ACLCHECK_OK &&
         check_enable_rls(oid, InvalidOid, true) != RLS_ENABLED;
}

}  // namespace

bool row_updater::suits(Relation table, AttrNumber column, Oid own) {
  return guarded([&] {
    return stands_alone(table) && !has_other_triggers(table->trigdesc, own) &&
           !is_in_keys(table, column) && is_allowed(table);
  });
}

row_updater::row_updater(relation_id table) {
  guarded([&] {
    target_.open(table);
    // As the executor does: a published table without a replica identity cannot be updated.
    CheckCmdReplicaIdentity(target_.relation(), CMD_UPDATE);
    found_ = table_slot_create(target_.relation(), nullptr);
    changed_ = MakeSingleTupleTableSlot(descriptor(), &TTSOpsHeapTuple);
    scratch_ =
        AllocSetContextCreate(CurrentMemoryContext, "row being updated", ALLOCSET_DEFAULT_SIZES);
  });
}

HeapTuple row_updater::find(ItemPointerData place) {
  return guarded([&]() -> HeapTuple {
    ExecClearTuple(changed_);
    MemoryContextReset(scratch_);
    target_.forget_row();
    // Not locked yet: replace() finds out whether somebody was faster, and waits for nobody.
    if (!table_tuple_fetch_row_version(target_.relation(), &place, GetActiveSnapshot(), found_)) {
      return nullptr;
    }
    const HeapTuple row = ExecFetchSlotHeapTuple(found_, false, nullptr);
    // A row that this transaction has written may have checks waiting for its end, which are about
    // that version; a later pass takes it.
    const TransactionId maker = HeapTupleHeaderGetXmin(row->t_data);
    return TransactionIdIsCurrentTransactionId(maker) ? nullptr : row;
  });
}

bool row_updater::replace(AttrNumber column, Datum value) {
  return guarded([&] {
    const MemoryContext outer = MemoryContextSwitchTo(scratch_);
    int number = column;
    bool null = false;
    // `found_` keeps the page of the old version pinned, so its values may be pointed into.
    // In scratch_, until the next find(): the new version is written from there.
    // The access method may have put old values out of line: they are handed on as they are.
    const HeapTuple old = ExecFetchSlotHeapTuple(found_, false, nullptr);
    const HeapTuple row = heap_modify_tuple_by_cols(old, descriptor(), 1, &number, &value, &null);
    ExecStoreHeapTuple(row, changed_, false);
    target_.check_constraints(changed_);
    const bool done = target_.update(found_->tts_tid, changed_);
    MemoryContextSwitchTo(outer);
    return done;
  });
}

void row_updater::finish() {
  guarded([&] {
    ExecDropSingleTupleTableSlot(changed_);
    ExecDropSingleTupleTableSlot(found_);
    target_.close();
  });
}

}  // namespace pg
