// Rows that no ROLLBACK takes back, in ordinary tables.
#include "boundary/table/frozen_row.h"

#include <algorithm>

#include "boundary/error/guard.h"
#include "boundary/table/placement.h"

extern "C" {
#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "executor/tuptable.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace pg {
namespace {

Relation open_journal(const known_table& table, std::size_t columns) {
  const Oid found = get_relname_relid(table.name, get_namespace_oid(table.schema, false));
  if (!OidIsValid(found)) {
    ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
            errmsg("relation \"%s.%s\" does not exist", table.schema, table.name),
            errhint("%s", table.remedy));
  }
  refuse_spread(found);
  // What a stranger made under the name of the journal is refused, not written to.
  Relation relation = table_open(found, RowExclusiveLock);
  if (relation->rd_tableam != GetHeapamTableAmRoutine() || relation->rd_rel->relhasindex ||
      static_cast<std::size_t>(RelationGetDescr(relation)->natts) < columns) {
    ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
            errmsg("relation \"%s.%s\" cannot keep rows that outlive ROLLBACK", table.schema,
                   table.name),
            errdetail("It has to be a heap without indexes, with the columns it was made with."),
            errhint("DROP TABLE %s.%s; %s", table.schema, table.name, table.remedy));
  }
  return relation;
}

}  // namespace

void insert_frozen(const known_table& table, const Datum* values, const bool* nulls,
                   std::size_t count) {
  guarded([&] {
    const Relation relation = open_journal(table, count);
    TupleTableSlot* const slot =
        MakeSingleTupleTableSlot(RelationGetDescr(relation), &TTSOpsVirtual);
    ExecClearTuple(slot);
    std::fill_n(slot->tts_isnull, slot->tts_tupleDescriptor->natts, true);
    std::copy_n(values, count, slot->tts_values);
    std::copy_n(nulls, count, slot->tts_isnull);
    ExecStoreVirtualTuple(slot);
    // Frozen, the row is visible to everybody at once.  COPY (FREEZE) may write so only where
    // nobody else can look yet; here being seen early is the point.  There must be no index: an
    // ERROR between the heap and its entry would leave a row that index scans never find.
    table_tuple_insert(relation, slot, GetCurrentCommandId(true), TABLE_INSERT_FROZEN, nullptr);
    ExecDropSingleTupleTableSlot(slot);
    table_close(relation, NoLock);
  });
}

void flush_frozen(bool at_once) {
  guarded([at_once] {
    // The end of what this backend has logged last in the transaction: at the row or beyond it.
    if (at_once) {
      XLogFlush(XactLastRecEnd);
    } else {
      XLogSetAsyncXactLSN(XactLastRecEnd);
    }
  });
}

}  // namespace pg
