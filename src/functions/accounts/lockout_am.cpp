// Access method vrm_lockout: makes the counter store an ordinary table to read, dump and restore.
// What would need transactions, row versions or indexes is refused.
#include <algorithm>
#include <array>
#include <cstring>

#include "boundary/call/function.h"
#include "boundary/table/access_method.h"
#include "functions/accounts/lockout_store.h"

extern "C" {
#include "access/multixact.h"
#include "access/relscan.h"
#include "access/tableam.h"
#include "access/xloginsert.h"
#include "catalog/storage.h"
#include "catalog/storage_xlog.h"
#include "executor/tuptable.h"
#include "storage/bufmgr.h"
#include "storage/smgr.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"
}

namespace vrm::sql::lockout_store {
namespace {

using pg::whatever_it_is_given;

// --- columns ------------------------------------------------------------------------------------

// In the order of to_columns() and from_columns().
constexpr std::array<Oid, 10> column_types = {
    UUIDOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID,
    INT4OID, INT4OID,        INT4OID,        INT4OID,        INT8OID};

void require_columns(Relation relation) {
  TupleDesc columns = RelationGetDescr(relation);
  bool fits = columns->natts == static_cast<int>(column_types.size());
  for (int i = 0; fits && i < columns->natts; ++i) {
    const Form_pg_attribute column = TupleDescAttr(columns, i);
    fits = !column->attisdropped && column->atttypid == column_types[static_cast<std::size_t>(i)];
  }
  if (fits) return;
  ereport(ERROR, errcode(ERRCODE_INVALID_TABLE_DEFINITION),
          errmsg("table \"%s\" does not have the columns of a lockout store",
                 RelationGetRelationName(relation)),
          errdetail("They are one uuid, four timestamptz, four integer and one bigint."),
          errhint("SELECT vrm.install(); makes vrm_private.lockout."));
}

void to_columns(entry& from, Datum* values) {
  values[0] = PointerGetDatum(from.id.data());
  values[1] = TimestampTzGetDatum(from.window_start);
  values[2] = TimestampTzGetDatum(from.locked_until);
  values[3] = TimestampTzGetDatum(from.pending_deadline);
  values[4] = TimestampTzGetDatum(from.last);
  values[5] = Int32GetDatum(from.failures);
  values[6] = Int32GetDatum(from.pending);
  values[7] = Int32GetDatum(from.consecutive);
  values[8] = Int32GetDatum(from.lock_count);
  values[9] = Int64GetDatum(from.value);
}

/// Raises an ERROR rather than an exception: it runs inside PostgreSQL's own frames.
std::uint16_t small(Datum datum) {
  const std::int32_t value = DatumGetInt32(datum);
  if (value >= 0 && value <= 0xFFFF) return static_cast<std::uint16_t>(value);
  ereport(ERROR, errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
          errmsg("a counter of a lockout store must be between 0 and 65535"),
          errdetail("The value is %d.", value),
          errhint("Copy rows of a store with pg_dump or COPY; do not make them by hand."));
  pg_unreachable();
}

entry from_columns(const Datum* values) {
  entry made{.window_start = DatumGetTimestampTz(values[1]),
             .locked_until = DatumGetTimestampTz(values[2]),
             .pending_deadline = DatumGetTimestampTz(values[3]),
             .last = DatumGetTimestampTz(values[4]),
             .failures = small(values[5]),
             .pending = small(values[6]),
             .consecutive = small(values[7]),
             .lock_count = small(values[8]),
             .value = DatumGetInt64(values[9])};
  std::memcpy(made.id.data(), DatumGetPointer(values[0]), made.id.size());
  return made;
}

// --- scans --------------------------------------------------------------------------------------

/// Copies a page at a time, so that no lock is held between rows.  Before the first row and after
/// the last one it is on no page: block -1, or as many as there are.
struct scan {  // NOLINT(cppcoreguidelines-pro-type-member-init): palloc0 does
  TableScanDescData head;
  std::int64_t block;
  std::int64_t blocks;
  std::int64_t count;
  std::int64_t position;
  entry entries[BLCKSZ / sizeof(entry)];
};

void rewind(scan* self) {
  self->block = -1;
  self->blocks = RelationGetNumberOfBlocks(self->head.rs_rd);
  self->count = 0;
  self->position = 0;
}

// A scan keeps nothing pinned or locked between rows: a client that fetches slowly, or never again,
// holds up nobody who signs in.  So it shows each page as of a moment of its own.  An entry that
// moves to a sibling meanwhile, a page that is added at the end, may be seen twice, which COPY back
// into a store merges; whoever goes forward ends where the pages end by then, and misses none.
TableScanDesc scan_begin(Relation relation, Snapshot snapshot, int keys, ScanKeyData* /*key*/,
                         ParallelTableScanDesc parallel, uint32 flags) {
  // As a heap scan does: the relation must not be rebuilt under it.
  RelationIncrementReferenceCount(relation);
  auto* const made = static_cast<scan*>(palloc0(sizeof(scan)));
  made->head.rs_rd = relation;
  made->head.rs_snapshot = snapshot;
  made->head.rs_nkeys = keys;
  made->head.rs_flags = flags;
  made->head.rs_parallel = parallel;
  rewind(made);
  return &made->head;
}

void scan_end(TableScanDesc head) {
  RelationDecrementReferenceCount(head->rs_rd);
  if ((head->rs_flags & SO_TEMP_SNAPSHOT) != 0) UnregisterSnapshot(head->rs_snapshot);
  pfree(head);
}

void scan_rescan(TableScanDesc head, ScanKeyData* /*key*/, bool /*set_params*/,
                 bool /*allow_strat*/, bool /*allow_sync*/, bool /*allow_pagemode*/) {
  rewind(reinterpret_cast<scan*>(head));
}

/// Parallel workers share the pages out among them through the counter in shared memory.
std::int64_t block_after(const scan* self, int step) {
  if (self->head.rs_parallel == nullptr) return self->block + step;
  auto* const shared = reinterpret_cast<ParallelBlockTableScanDesc>(self->head.rs_parallel);
  return static_cast<std::int64_t>(pg_atomic_fetch_add_u64(&shared->phs_nallocated, 1));
}

/// Goes to the next page in that direction, and before its rows; false beyond the last one.
bool load_page(scan* self, int step) {
  CHECK_FOR_INTERRUPTS();
  const std::int64_t next = block_after(self, step);
  if (next >= self->blocks) self->blocks = RelationGetNumberOfBlocks(self->head.rs_rd);
  self->block = std::clamp<std::int64_t>(next, -1, self->blocks);
  self->count = 0;
  self->position = 0;
  if (self->block < 0 || self->block == self->blocks) return false;
  const Buffer buffer = ReadBuffer(self->head.rs_rd, static_cast<BlockNumber>(self->block));
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  const auto page = view(BufferGetPage(buffer));
  // A spare page, which a crash has left unlinked, has no entries.
  if (page.is_formatted()) {
    // Capped, because a damaged page may claim anything; check() is what reports it.
    const auto found = std::min<std::size_t>(page.entries().size(), page.capacity());
    std::memcpy(self->entries, page.entries().data(), found * sizeof(entry));
    self->count = static_cast<std::int64_t>(found);
  }
  UnlockReleaseBuffer(buffer);
  self->position = step > 0 ? -1 : self->count;
  return true;
}

bool scan_next(TableScanDesc head, ScanDirection direction, TupleTableSlot* slot) {
  auto* const self = reinterpret_cast<scan*>(head);
  const int step = ScanDirectionIsBackward(direction) ? -1 : 1;
  ExecClearTuple(slot);
  self->position += step;
  while (self->position < 0 || self->position >= self->count) {
    if (!load_page(self, step)) return false;
    self->position += step;
  }
  to_columns(self->entries[self->position], slot->tts_values);
  std::fill_n(slot->tts_isnull, slot->tts_tupleDescriptor->natts, true);  // a column added in 1.0.0
  std::fill_n(slot->tts_isnull, column_types.size(), false);
  slot->tts_tableOid = RelationGetRelid(head->rs_rd);
  ExecStoreVirtualTuple(slot);
  return true;
}

// --- rows in ------------------------------------------------------------------------------------

/// PostgreSQL calls from here on, and no exception may pass through its frames.
void merge_or_report(Relation relation, const entry& given) {
  const pg::failure* failed = nullptr;
  try {
    merge(relation, given);
  } catch (...) {
    failed = &pg::describe_current_exception();
  }
  if (failed != nullptr) pg::report(*failed, nullptr);
}

void insert(Relation relation, TupleTableSlot* slot, CommandId /*cid*/, pg::row_options /*options*/,
            BulkInsertStateData* /*bulk*/) {
  require_columns(relation);
  slot_getallattrs(slot);
  for (std::size_t i = 0; i < column_types.size(); ++i) {
    if (slot->tts_isnull[i]) {
      ereport(ERROR, errcode(ERRCODE_NOT_NULL_VIOLATION),
              errmsg("a lockout store has no null values"));
    }
  }
  // Merged, not added: COPY into a living store makes nobody freer than they were.
  merge_or_report(relation, from_columns(slot->tts_values));
}

void insert_many(Relation relation, TupleTableSlot** slots, int count, CommandId cid,
                 pg::row_options options, BulkInsertStateData* bulk) {
  for (int i = 0; i < count; ++i) insert(relation, slots[i], cid, options, bulk);
}

// --- the file -----------------------------------------------------------------------------------

void new_file(Relation relation, const pg::file_locator* locator, char persistence,
              TransactionId* freeze_xid, MultiXactId* min_multi) {
  if (persistence != RELPERSISTENCE_PERMANENT) {
    ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
            errmsg("a lockout store can be neither temporary nor unlogged"),
            errdetail("It has to outlive connections and crashes."),
            errhint("CREATE TABLE ... USING vrm_lockout, without TEMPORARY and UNLOGGED."));
  }
  require_columns(relation);
  *freeze_xid = InvalidTransactionId;
  *min_multi = InvalidMultiXactId;

  // Where WAL is minimal, what this transaction writes to a new file is not logged but synced when
  // it commits.  Pages that were logged here all the same would be replayed after a crash, over
  // rows.
  const bool logged = XLogIsNeeded();
  const SMgrRelation file = RelationCreateStorage(*locator, persistence, true);
  PGAlignedBlock block;
  Page page = block.data;
  for (BlockNumber number = 0; number < vrm::lockout::root_pages; ++number) {
    PageInit(page, BLCKSZ, 0);
    view(page).format(vrm::lockout::root_level);
    set_used(page);
    // Logged before it is written.  Roots are made here and nowhere else, so a page that is new
    // later on (all zeros, after a crash) can only be one that nothing links to yet.
    if (logged)
      log_newpage(const_cast<pg::file_locator*>(locator), MAIN_FORKNUM, number, page, true);
    pg::set_checksum(page, number);
    smgrextend(file, MAIN_FORKNUM, number, block.data, true);
  }
  // A checkpoint may have begun after the first page was logged and before it was written.
  smgrimmedsync(file, MAIN_FORKNUM);
  smgrclose(file);
}

/// VACUUM FULL: what still matters, on as few pages as it needs.
void copy_to(Relation from, Relation into, TransactionId* freeze_xid, MultiXactId* min_multi,
             double* copied, double* dead) {
  *freeze_xid = InvalidTransactionId;
  *min_multi = InvalidMultiXactId;
  auto* const all = reinterpret_cast<scan*>(scan_begin(from, nullptr, 0, nullptr, nullptr, 0));
  while (load_page(all, 1)) {
    for (std::int64_t i = 0; i < all->count; ++i) {
      if (vrm::lockout::is_expired(all->entries[i], now())) {
        *dead += 1;
        continue;
      }
      merge_or_report(into, all->entries[i]);
      *copied += 1;
    }
  }
  scan_end(&all->head);
}

// --- what is refused ----------------------------------------------------------------------------

[[noreturn]] void refuse(const char* what) {
  ereport(
      ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
      errmsg("%s is not possible on a lockout store", what),
      errdetail("Its rows belong to no transaction, so that ROLLBACK takes nothing back."),
      errhint("SELECT vrm.unlock_account('somebody@example.org'); forgets failures and locks."));
  pg_unreachable();
}

void describe_scans(TableAmRoutine& routine) {
  routine.slot_callbacks = [](Relation) { return &TTSOpsVirtual; };
  routine.scan_begin = scan_begin;
  routine.scan_end = scan_end;
  routine.scan_rescan = scan_rescan;
  routine.scan_getnextslot = scan_next;
  // PostgreSQL's own, which share out a table by its blocks.
  routine.parallelscan_estimate = table_block_parallelscan_estimate;
  routine.parallelscan_initialize = table_block_parallelscan_initialize;
  routine.parallelscan_reinitialize = table_block_parallelscan_reinitialize;
  routine.scan_sample_next_block = whatever_it_is_given([] { refuse("TABLESAMPLE"); });
  routine.scan_sample_next_tuple = whatever_it_is_given([] { return false; });
  pg::leave_unanalyzed(routine);
}

void describe_rows(TableAmRoutine& routine) {
  routine.tuple_insert = insert;
  routine.multi_insert = insert_many;
  routine.tuple_insert_speculative = whatever_it_is_given([] { refuse("ON CONFLICT"); });
  routine.tuple_complete_speculative = whatever_it_is_given([] {});
  routine.tuple_delete = whatever_it_is_given([] { refuse("DELETE"); });
  routine.tuple_update = whatever_it_is_given([] { refuse("UPDATE"); });
  routine.tuple_lock = whatever_it_is_given([] { refuse("SELECT FOR UPDATE"); });
  routine.tuple_fetch_row_version = whatever_it_is_given([] { refuse("access by ctid"); });
  routine.tuple_tid_valid = whatever_it_is_given([] { return false; });
  routine.tuple_get_latest_tid = whatever_it_is_given([] { refuse("access by ctid"); });
  // Rows have no versions: what is there is there for every snapshot.
  routine.tuple_satisfies_snapshot = whatever_it_is_given([] { return true; });
}

void describe_indexes(TableAmRoutine& routine) {
  constexpr auto refused = whatever_it_is_given([] { refuse("CREATE INDEX"); });
  routine.index_fetch_begin = refused;
  routine.index_fetch_reset = whatever_it_is_given([] {});
  routine.index_fetch_end = whatever_it_is_given([] {});
  routine.index_fetch_tuple = refused;
  routine.index_delete_tuples = refused;
  routine.index_build_range_scan = refused;
  routine.index_validate_scan = refused;
}

void describe_file(TableAmRoutine& routine) {
  routine.*pg::set_new_file = new_file;
  routine.relation_nontransactional_truncate = [](Relation) {
    refuse("TRUNCATE in the transaction that made the table");
  };
  routine.relation_copy_data = [](Relation, const pg::file_locator*) {
    refuse("ALTER TABLE SET TABLESPACE");
  };
  pg::copy_by<copy_to>(routine);
  // Nothing to do: expired entries go when their page is next needed.
  routine.relation_vacuum = whatever_it_is_given([] {});
  routine.relation_size = table_block_relation_size;
  routine.relation_needs_toast_table = [](Relation) { return false; };
  routine.relation_estimate_size = [](Relation relation, int32* /*widths*/, BlockNumber* pages,
                                      double* tuples, double* all_visible) {
    *pages = RelationGetNumberOfBlocks(relation);
    // Pages are split at split_at entries, so that on average half as many are on one.
    *tuples = static_cast<double>(*pages) * (vrm::lockout::split_at / 2.0);
    *all_visible = 0;
  };
}

TableAmRoutine describe_routine() {
  TableAmRoutine routine{};
  routine.type = T_TableAmRoutine;
  describe_scans(routine);
  describe_rows(routine);
  describe_indexes(routine);
  describe_file(routine);
  return routine;
}

}  // namespace

const TableAmRoutine* table_routine() noexcept {
  static const TableAmRoutine routine = describe_routine();
  return &routine;
}

}  // namespace vrm::sql::lockout_store

// The handler throws nothing, so it needs no binding; its signature is on record all the same.
namespace {
constexpr std::array<Oid, 2> handler_types = {TABLE_AM_HANDLEROID, INTERNALOID};
}
[[gnu::used,
  gnu::section("pg_signatures")]] constinit const pg::signature vrm_lockout_handler_signature = {
    "vrm_lockout_handler", handler_types.data(), 1, true};

extern "C" {
#pragma GCC visibility push(default)
PG_FUNCTION_INFO_V1(vrm_lockout_handler);
Datum vrm_lockout_handler(PG_FUNCTION_ARGS);
#pragma GCC visibility pop

Datum vrm_lockout_handler(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  return PointerGetDatum(vrm::sql::lockout_store::table_routine());
}
}
