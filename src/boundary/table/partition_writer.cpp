// Rows for a partitioned table, without the executor.
#include "boundary/table/partition_writer.h"

#include <cstdint>
#include <cstring>

#include "boundary/table/index_entries.h"
#include "boundary/table/owner.h"
#include "boundary/table/placement.h"

extern "C" {
#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "executor/execPartition.h"
#include "miscadmin.h"
#include "parser/parse_relation.h"
#include "rewrite/rewriteHandler.h"
#include "storage/lmgr.h"
#include "utils/inval.h"
#include "utils/rel.h"
}

namespace pg {

namespace {

/// Where a column's value comes from.
struct source {
  int given = -1;  ///< which of the values that the row is given
  ExprState* fallback = nullptr;
};

/// The values that one row is given, in the order of the writer's columns.
struct row {
  std::span<const Datum> values;
  std::span<const bool> nulls;
};

// --- the invariant ------------------------------------------------------------------------------
//
// A plan is what was found out of the table and one partition.  It may be used for as long as
// nothing that it was made of has changed.  Two facts make that so:
//
// - The transaction holds RowExclusiveLock on the table, the partition and its indexes from the
//   first row on, so nobody else can take the locks of ALTER and DROP; whoever needs less, such as
//   ATTACH PARTITION, tells all backends.
// - Whoever altered them before the lock came, or does in this transaction, has sent an
//   invalidation.  Taking a lock reads those, so comparing a counter after that is enough.
//
// Between rows no relation is open: an open one would make DDL of the same transaction fail with
// "is being used by active queries in this session".

/// How often PostgreSQL has forgotten what it knew of a relation.  No reference to a relation is
/// kept from one row to the next, so this is how a change is noticed.
std::uint64_t changes_seen = 0;

void count_changes() {
  static bool counts = false;
  if (counts) return;
  CacheRegisterRelcacheCallback([](Datum /*argument*/, Oid /*relation*/) { ++changes_seen; },
                                Datum{0});
  counts = true;
}

source* sources_of(Relation table, std::span<const char* const> columns, EState* state) {
  const TupleDesc descriptor = RelationGetDescr(table);
  auto* const found =
      static_cast<source*>(palloc(static_cast<Size>(descriptor->natts) * sizeof(source)));
  for (int i = 0; i < descriptor->natts; ++i) {
    found[i] = {};
    const FormData_pg_attribute* const column = TupleDescAttr(descriptor, i);
    // Columns of neither kind stay null.
    if (column->attisdropped) continue;
    for (std::size_t given = 0; given < columns.size(); ++given) {
      if (std::strcmp(columns[given], NameStr(column->attname)) == 0) {
        found[i].given = static_cast<int>(given);
      }
    }
    if (found[i].given >= 0) continue;
    Node* const fallback = build_column_default(table, i + 1);
    if (fallback != nullptr) {
      found[i].fallback = ExecPrepareExpr(reinterpret_cast<Expr*>(fallback), state);
    }
  }
  return found;
}

/// What the columns of a partition get, which may have them in another order.
source* sources_of(Relation partition, Relation table, const source* sources) {
  const TupleDesc ours = RelationGetDescr(partition);
  const TupleDesc theirs = RelationGetDescr(table);
  auto* const found = static_cast<source*>(palloc(static_cast<Size>(ours->natts) * sizeof(source)));
  for (int i = 0; i < ours->natts; ++i) {
    found[i] = {};
    for (int k = 0; k < theirs->natts; ++k) {
      if (TupleDescAttr(ours, i)->attisdropped || TupleDescAttr(theirs, k)->attisdropped) continue;
      if (std::strcmp(NameStr(TupleDescAttr(ours, i)->attname),
                      NameStr(TupleDescAttr(theirs, k)->attname)) == 0) {
        found[i] = sources[k];
      }
    }
  }
  return found;
}

void fill(TupleTableSlot* slot, const source* sources, const row& given, EState* state) {
  // What defaults compute is freed with the next reset of the per-tuple context, not here.
  ExprContext* const context = GetPerTupleExprContext(state);
  ExecClearTuple(slot);
  for (int i = 0; i < slot->tts_tupleDescriptor->natts; ++i) {
    slot->tts_values[i] = 0;
    slot->tts_isnull[i] = true;
    if (sources[i].given >= 0) {
      slot->tts_values[i] = given.values[static_cast<std::size_t>(sources[i].given)];
      slot->tts_isnull[i] = given.nulls[static_cast<std::size_t>(sources[i].given)];
    } else if (sources[i].fallback != nullptr) {
      // Evaluated with the rights of the moment, which put() has made the owner's.
      slot->tts_values[i] =
          ExecEvalExprSwitchContext(sources[i].fallback, context, &slot->tts_isnull[i]);
    }
  }
  ExecStoreVirtualTuple(slot);
}

/// A range table of this table alone: a foreign partition looks there for whom it is written as.
void give_range_table(EState* state, Relation table) {
  auto* const entry = makeNode(RangeTblEntry);
  entry->rtekind = RTE_RELATION;
  entry->relid = RelationGetRelid(table);
  entry->relkind = table->rd_rel->relkind;
  entry->rellockmode = RowExclusiveLock;
#if PG_VERSION_NUM >= 160000
  // Nobody checks them: who calls us has decided that the row is written.
  List* permissions = NIL;
  addRTEPermissionInfo(&permissions, entry);
#endif
#if PG_VERSION_NUM >= 180000
  ExecInitRangeTable(state, list_make1(entry), permissions, bms_make_singleton(1));
#elif PG_VERSION_NUM >= 160000
  ExecInitRangeTable(state, list_make1(entry), permissions);
#else
  ExecInitRangeTable(state, list_make1(entry));
#endif
}

/// The partition that a row belongs to, found as COPY finds it.
Oid find_partition(Relation table, const source* sources, const row& given, EState* state) {
  // ExecFindPartition() evaluates partition keys, looks at constraints of partitioned tables in
  // between and raises the ERROR for a row that has no partition.
  // A new one each time: what the finder knows of partitions must not outlive this row.
  EState* const finder = CreateExecutorState();  // holds the partitioned tables open
  give_range_table(finder, table);
  auto* const root = makeNode(ResultRelInfo);
  InitResultRelInfo(root, table, 1, nullptr, 0);
  auto* const insertion = makeNode(ModifyTableState);
  insertion->ps.state = finder;
  insertion->operation = CMD_INSERT;
  insertion->resultRelInfo = root;
  insertion->rootResultRelInfo = root;
  PartitionTupleRouting* const routing = ExecSetupPartitionTupleRouting(finder, table);
  TupleTableSlot* const slot = MakeSingleTupleTableSlot(RelationGetDescr(table), &TTSOpsVirtual);
  fill(slot, sources, given, state);
  const Oid found =
      RelationGetRelid(ExecFindPartition(insertion, root, routing, slot, finder)->ri_RelationDesc);
  ExecDropSingleTupleTableSlot(slot);
  ExecCleanupTupleRouting(insertion, routing);
  FreeExecutorState(finder);
  ResetPerTupleExprContext(state);
  return found;
}

/// Triggers on anything but INSERT, such as that which refuses TRUNCATE, are nothing to a new row.
bool has_insert_triggers(const TriggerDesc* triggers) {
  return triggers != nullptr &&
         (triggers->trig_insert_before_row || triggers->trig_insert_after_row ||
          triggers->trig_insert_instead_row || triggers->trig_insert_before_statement ||
          triggers->trig_insert_after_statement || triggers->trig_insert_new_table);
}

bool has_triggers_or_generates(Relation relation) {
  const TupleConstr* const constraints = RelationGetDescr(relation)->constr;
  return has_insert_triggers(relation->trigdesc) ||
         (constraints != nullptr && constraints->has_generated_stored);
}

}  // namespace

struct partition_writer::plan {
  MemoryContext context;            ///< owns all that follows
  MemoryContextCallback forgotten;  ///< clears the writer's pointer when the context goes
  std::uint64_t changes;            ///< `changes_seen` before the table was looked at
  Oid table;
  Oid owner;
  Oid partition;
  bool fits;  ///< whether insert() does all that INSERT would
  EState* state;
  ResultRelInfo* result;  ///< its relations are open inside of insert() alone
  TupleTableSlot* slot;
  source* sources;  ///< for each column of the partition
  Oid* indexes;     ///< OIDs, by which they are opened again for each row

  void open_partition() const {
    result->ri_RelationDesc = table_open(partition, RowExclusiveLock);
    for (int i = 0; i < result->ri_NumIndices; ++i) {
      result->ri_IndexRelationDescs[i] = index_open(indexes[i], RowExclusiveLock);
    }
  }

  /// Locks stay, as always, until the transaction ends.
  void close_partition() const {
    for (int i = 0; i < result->ri_NumIndices; ++i) {
      index_close(result->ri_IndexRelationDescs[i], NoLock);
    }
    table_close(result->ri_RelationDesc, NoLock);
  }

  /// Looks at the partition once.
  void study(Relation root, const source* of_root) {
    // What would need the executor: triggers on either, stored generated columns, foreign
    // partitions, rules, and indexes that may call functions of users' at insertion time.
    const Relation leaf = table_open(partition, RowExclusiveLock);
    fits = leaf->rd_rel->relkind == RELKIND_RELATION && !has_triggers_or_generates(root) &&
           !has_triggers_or_generates(leaf) && root->rd_rules == nullptr &&
           !is_spread(RelationGetRelid(root)) && !is_spread(partition);
    result = makeNode(ResultRelInfo);
    InitResultRelInfo(result, leaf, 0, nullptr, 0);
    ExecOpenIndices(result, false);
    indexes =
        static_cast<Oid*>(palloc0(sizeof(Oid) * (static_cast<Size>(result->ri_NumIndices) + 1)));
    for (int i = 0; i < result->ri_NumIndices; ++i) {
      indexes[i] = RelationGetRelid(result->ri_IndexRelationDescs[i]);
      fits = fits && result->ri_IndexRelationDescs[i]->rd_rel->relam == BTREE_AM_OID;
    }
    sources = sources_of(leaf, root, of_root);
    // A copy, because the relation's own would have to be held.
    slot =
        MakeSingleTupleTableSlot(CreateTupleDescCopyConstr(RelationGetDescr(leaf)), &TTSOpsVirtual);
    slot->tts_tableOid = partition;
    close_partition();
  }

  /// False when the row belongs elsewhere, because the day is over, or when the partition has been
  /// altered before it was locked.
  [[nodiscard]] bool insert(const row& given) const {
    ResetPerTupleExprContext(state);
    open_partition();
    // The locks are held now.  An invalidation that came with them means that this plan may be of
    // another shape of the table.
    if (changes != changes_seen) {
      close_partition();
      return false;
    }
    fill(slot, sources, given, state);
    // The bounds of the partition are among its constraints: a row of the next day is noticed here.
    const bool belongs = ExecPartitionCheck(result, slot, state, false);
    if (belongs) {
      ExecConstraints(result, slot, state);
      // An ERROR between heap and indexes aborts the (sub)transaction, and the row with it.
      table_tuple_insert(result->ri_RelationDesc, slot, GetCurrentCommandId(true), 0, nullptr);
      if (result->ri_NumIndices > 0) insert_index_entries(result, slot, state);
    }
    close_partition();
    return belongs;
  }
};

/// What is known of the table and of the partition that such a row belongs to.
partition_writer::plan* partition_writer::prepared(std::span<const Datum> values,
                                                   std::span<const bool> nulls) {
  return guarded([&] {
    count_changes();
    // Its callback clears plan_, as the end of the transaction does.
    if (plan_ != nullptr) MemoryContextDelete(plan_->context);
    // ROLLBACK TO SAVEPOINT may take the locks away, but not this plan: hence put() and insert()
    // take them anew for every row, which costs little while they are held.
    const MemoryContext context =
        AllocSetContextCreate(TopTransactionContext, "partition writer", ALLOCSET_DEFAULT_SIZES);
    const MemoryContext outer = MemoryContextSwitchTo(context);
    auto* const made = static_cast<plan*>(palloc0(sizeof(plan)));
    made->context = context;
    made->forgotten.func = [](void* writer) {
      static_cast<partition_writer*>(writer)->plan_ = nullptr;
    };
    made->forgotten.arg = this;
    MemoryContextRegisterResetCallback(context, &made->forgotten);
    plan_ = made;
    // An ERROR on the way leaves a plan that no comparison takes for a good one.
    made->changes = changes_seen - 1;  // until it is complete
    const Relation root = table_open(
        get_relname_relid(table_.name, get_namespace_oid(table_.schema, false)), RowExclusiveLock);
    // Before anything is looked at, so that what changes meanwhile makes this plan a stale one.
    const std::uint64_t before = changes_seen;
    made->table = RelationGetRelid(root);
    made->owner = root->rd_rel->relowner;
    made->state = CreateExecutorState();
    const source* const sources = sources_of(root, columns_, made->state);
    made->partition = find_partition(root, sources, {values, nulls}, made->state);
    made->study(root, sources);
    table_close(root, NoLock);
    MemoryContextSwitchTo(outer);
    made->changes = before;
    return made;
  });
}

bool partition_writer::put(std::span<const Datum> values, std::span<const bool> nulls) {
  guarded([] { PreventCommandIfReadOnly("INSERT"); });
  // Order matters: first the lock, then the comparison; then the owner, because building defaults
  // and evaluating them is done with the rights that INSERT by the owner would have.
  // With the lock comes word of what others have altered.
  if (plan_ != nullptr) guarded([&] { LockRelationOid(plan_->table, RowExclusiveLock); });
  if (plan_ == nullptr || plan_->changes != changes_seen) {
    const owner_scope owner(table_);
    (void)prepared(values, nulls);
  }
  const owner_scope owner(plan_->owner);
  if (!plan_->fits) return false;
  if (guarded([&] { return plan_->insert({values, nulls}); })) return true;
  // Once more, for the partition of the next day or its new shape; then it is the executor's.
  return prepared(values, nulls)->fits && guarded([&] { return plan_->insert({values, nulls}); });
}

}  // namespace pg
