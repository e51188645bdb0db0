// Looks rows up by an index, without the planner.
#include "boundary/table/index_reader.h"

#include "boundary/table/placement.h"

extern "C" {
#include "access/tableam.h"
#include "catalog/pg_namespace.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
}

namespace pg {
namespace {

ScanKeyData scan_key(AttrNumber number, const index_key& key) {
  const bool equal = key.how == index_key::comparison::equal;
  RegProcedure procedure = equal ? F_UUID_EQ : F_UUID_GE;
  if (key.type == INT4OID) procedure = F_INT4EQ;
  ScanKeyData made;
  ScanKeyInit(&made, number, equal ? BTEqualStrategyNumber : BTGreaterEqualStrategyNumber,
              procedure, key.datum);
  return made;
}

IndexScanDesc begin_scan(Relation table, Relation index, int keys) {
#if PG_VERSION_NUM >= 190000
  return index_beginscan(table, index, GetActiveSnapshot(), nullptr, keys, 0, SO_NONE);
#elif PG_VERSION_NUM >= 180000
  return index_beginscan(table, index, GetActiveSnapshot(), nullptr, keys, 0);
#else
  return index_beginscan(table, index, GetActiveSnapshot(), keys, 0);
#endif
}

}  // namespace

void known_column::look_for(Relation table) {
  TupleDesc columns = RelationGetDescr(table);
  for (int number = 1; number <= columns->natts; ++number) {
    if (!is_at(columns, static_cast<AttrNumber>(number))) continue;
    last_ = static_cast<AttrNumber>(number);
    return;
  }
  ereport(ERROR, errcode(ERRCODE_UNDEFINED_COLUMN),
          errmsg("column \"%s\" of relation \"%s\" does not exist", name_,
                 RelationGetRelationName(table)));
}

index_reader::index_reader(Relation table, const char* index, const char* remedy) : table_(table) {
  guarded([&] {
    const Oid found = index_on(RelationGetRelid(table), index);
    if (!OidIsValid(found)) {
      ereport(ERROR, errcode(ERRCODE_UNDEFINED_OBJECT),
              errmsg("index \"%s\" does not exist", index), errhint("%s", remedy));
    }
    index_ = index_open(found, AccessShareLock);
    slot_ = table_slot_create(table, nullptr);
  });
}

void index_reader::seek(std::initializer_list<index_key> keys) {
  guarded([&] {
    ExecClearTuple(slot_);
    std::array<ScanKeyData, most_keys> scan_keys{};
    AttrNumber number = 0;
    for (const index_key& key : keys) {
      scan_keys[static_cast<std::size_t>(number)] =
          scan_key(static_cast<AttrNumber>(number + 1), key);
      ++number;
    }
    if (scan_ != nullptr && keys_ != keys.size()) {
      index_endscan(scan_);
      scan_ = nullptr;
    }
    keys_ = keys.size();
    if (scan_ == nullptr) scan_ = begin_scan(table_, index_, number);
    index_rescan(scan_, scan_keys.data(), number, nullptr, 0);
  });
}

bool index_reader::next() {
  return guarded([&] { return index_getnext_slot(scan_, ForwardScanDirection, slot_); });
}

void index_reader::finish() {
  guarded([&] {
    if (scan_ != nullptr) index_endscan(scan_);
    index_close(index_, AccessShareLock);
    ExecDropSingleTupleTableSlot(slot_);
  });
}

}  // namespace pg
