#include "boundary/table/row_mover.h"

#include "boundary/memory/memory.h"
#include "boundary/table/access_method.h"
#include "core/platform/error.h"

extern "C" {
#include "access/detoast.h"
#include "access/xact.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
}

namespace pg {
namespace {

int number_of(TupleDesc columns, const char* name) {
  for (int i = 0; i < columns->natts; ++i) {
    const FormData_pg_attribute* column = TupleDescAttr(columns, i);
    if (!column->attisdropped && std::strcmp(name, NameStr(column->attname)) == 0) return i;
  }
  return -1;
}

/// Whether a lock of this transaction is on the row; deleting without waiting would take it for a
/// lock of somebody else's.
bool is_locked_by_us(TupleTableSlot* slot) {
  const HeapTupleHeaderData* row = ExecFetchSlotHeapTuple(slot, false, nullptr)->t_data;
  // A multixact counts as somebody else's even if we are in it: the row is moved another time.
  return (row->t_infomask & (HEAP_XMAX_INVALID | HEAP_XMAX_IS_MULTI)) == 0 &&
         TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetRawXmax(row));
}

template <typename T>
T* array_of(std::size_t size) {
  return static_cast<T*>(palloc0(size * sizeof(T)));
}

}  // namespace

int column_number(TupleDesc columns, std::string_view name) {
  for (int i = 0; i < columns->natts; ++i) {
    const FormData_pg_attribute* column = TupleDescAttr(columns, i);
    if (!column->attisdropped && name == NameStr(column->attname)) return i;
  }
  throw vrm::error("42703", "column \"" + std::string(name) + "\" does not exist")
      .hint("Name columns of the row.");
}

int row_mover::column(std::string_view name) const { return column_number(descriptor(), name); }

row_mover::row_mover(relation_id source, relation_id target,
                     std::initializer_list<given_value> given) {
  guarded([&] {
    refuse_spread(source.oid);
    source_ = open_table(source, RowExclusiveLock);
    if (source_->rd_tableam == nullptr) {
      ereport(
          ERROR, errcode(ERRCODE_WRONG_OBJECT_TYPE),
          errmsg("\"%s\" is not a table", RelationGetRelationName(source_)),
          errdetail("Its rows are not where it is, so they cannot be moved below the executor."));
    }
    target_.open(target);
    found_ = table_slot_create(source_, nullptr);
    // Children of the context that the mover is made in, so an ERROR leaves nothing behind.
    rows_ = AllocSetContextCreate(CurrentMemoryContext, "rows on the move", ALLOCSET_DEFAULT_SIZES);
    // The first block, of 64 kB, survives each reset: most rows cost no malloc().
    scratch_ = AllocSetContextCreate(CurrentMemoryContext, "row on the move", 64 << 10, 64 << 10,
                                     ALLOCSET_DEFAULT_MAXSIZE);
    from_ = array_of<int>(columns());
    values_ = array_of<Datum>(columns());
    nulls_ = array_of<bool>(columns());
  });
  map_columns(given);
}

void row_mover::map_columns(std::initializer_list<given_value> given) {
  for (int i = 0; i < descriptor()->natts; ++i) {
    const FormData_pg_attribute* column = TupleDescAttr(descriptor(), i);
    from_[i] =
        column->attisdropped ? -1 : number_of(RelationGetDescr(source_), NameStr(column->attname));
    nulls_[i] = true;
  }
  for (const given_value& one : given) {
    const int number = column(one.name);
    from_[number] = -1;
    values_[number] = one.value;
    nulls_[number] = false;
  }
}

bool row_mover::take(ItemPointerData place) {
  return guarded([&] {
    const Snapshot snapshot = GetActiveSnapshot();
    // Deletes the version that was seen, and only if nobody holds or has changed it: whoever works
    // on a row keeps it, and the row is moved another time.  Nothing here waits for a lock of a
    // row.
    if (!table_tuple_fetch_row_version(source_, &place, snapshot, found_)) return false;
    TM_FailureData failure;
    if (delete_row(source_, &place, snapshot, is_locked_by_us(found_), &failure) != TM_Ok) {
      ExecClearTuple(found_);
      return false;
    }
    spread();
    return true;
  });
}

bool row_mover::copy_next() {
  return guarded([&] {
    if (scan_ == nullptr) begin_copying();
    if (!table_scan_getnextslot(scan_, ForwardScanDirection, found_)) return false;
    spread();
    return true;
  });
}

void row_mover::begin_copying() {
  // Nobody else may see frozen rows before the commit, nor may an abort leave any behind.
  if (target_.relation()->rd_createSubid == InvalidSubTransactionId) {
    ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
            errmsg("relation \"%s\" was not made by this transaction",
                   RelationGetRelationName(target_.relation())),
            errhint("CREATE TABLE ... (LIKE ...);"));
  }
  scan_ = begin_scan(source_, GetActiveSnapshot());
}

/// The values of the row found, in the order of the target's columns; its page stays pinned for
/// them.  What is out of line is fetched, once for whoever looks at it and for the target, but
/// stays compressed.
void row_mover::spread() {
  const MemoryContext outer = MemoryContextSwitchTo(scratch_);
  slot_getallattrs(found_);
  for (int i = 0; i < descriptor()->natts; ++i) {
    if (from_[i] < 0) continue;
    nulls_[i] = found_->tts_isnull[from_[i]];
    if (nulls_[i]) continue;
    values_[i] = found_->tts_values[from_[i]];
    if (TupleDescAttr(descriptor(), i)->attlen == -1 &&
        VARATT_IS_EXTERNAL(DatumGetPointer(values_[i]))) {
      values_[i] = PointerGetDatum(
          detoast_external_attr(reinterpret_cast<struct varlena*>(DatumGetPointer(values_[i]))));
    }
  }
  MemoryContextSwitchTo(outer);
}

void row_mover::put() {
  guarded([&] {
    if (waiting_ == made_) {
      slots_[made_++] = MakeSingleTupleTableSlot(descriptor(), &TTSOpsHeapTuple);
    }
    const MemoryContext outer = MemoryContextSwitchTo(rows_);
    // Copied now: the page of the source is let go of below, and values out of line lie in
    // scratch_.
    const HeapTuple tuple = heap_form_tuple(descriptor(), values_, nulls_);
    MemoryContextSwitchTo(outer);
    TupleTableSlot* slot = slots_[waiting_++];
    ExecStoreHeapTuple(tuple, slot, false);
    // Clears the pin on the source's page, too.
    ExecClearTuple(found_);
    MemoryContextReset(scratch_);
    target_.check_constraints(slot);
    // All rows have to be of one partition, as they are when its key is given: the first of a
    // batch speaks for the others.
    if (waiting_ == 1) target_.check_partition(slot);
    waiting_bytes_ += tuple->t_len;
  });
  if (waiting_ == most_slots || waiting_bytes_ >= most_bytes) flush();
}

void row_mover::flush() {
  if (waiting_ == 0) return;
  guarded([&] {
    const MemoryContext outer = MemoryContextSwitchTo(rows_);
    // One WAL record for as many rows as a page takes.  Indexes come after: table_multi_insert()
    // has set the places of the rows, which is all that the entries need.
    table_multi_insert(target_.relation(), slots_.data(), static_cast<int>(waiting_),
                       GetCurrentCommandId(true), scan_ == nullptr ? 0 : TABLE_INSERT_FROZEN,
                       nullptr);
    for (std::size_t i = 0; i < waiting_; ++i) {
      slots_[i]->tts_tableOid = RelationGetRelid(target_.relation());
      target_.add_index_entries(slots_[i]);
      ExecClearTuple(slots_[i]);
    }
    MemoryContextSwitchTo(outer);
    target_.forget_row();
    MemoryContextReset(rows_);
  });
  waiting_ = 0;
  waiting_bytes_ = 0;
}

void row_mover::finish() {
  flush();
  guarded([&] {
    for (std::size_t i = 0; i < made_; ++i) ExecDropSingleTupleTableSlot(slots_[i]);
    ExecDropSingleTupleTableSlot(found_);
    if (scan_ != nullptr) table_endscan(scan_);
    target_.close();
    table_close(source_, NoLock);
  });
}

}  // namespace pg
