// Reads the catalogs of Citus, where there are any: its extension is not linked to.
#include "boundary/table/placement.h"

#include <cstring>
#include <optional>

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/index.h"
#include "catalog/pg_namespace.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace pg {
namespace {

/// A catalog of Citus and the index that it is looked up by, if it has one.
struct catalog {
  const char* table;
  const char* index;
};
constexpr catalog spread_tables = {.table = "pg_dist_partition",
                                   .index = "pg_dist_partition_logical_relid_index"};
constexpr catalog shards = {.table = "pg_dist_shard", .index = "pg_dist_shard_logical_relid_index"};
constexpr catalog shard_places = {.table = "pg_dist_placement",
                                  .index = "pg_dist_placement_shardid_index"};
constexpr catalog this_node = {.table = "pg_dist_local_group", .index = nullptr};

Oid oid_of(const catalog& one) { return get_relname_relid(one.table, PG_CATALOG_NAMESPACE); }

/// A row while it is being looked at.
class catalog_row {
 public:
  catalog_row(Relation table, HeapTuple row) noexcept : table_(table), row_(row) {}

  [[nodiscard]] std::optional<Datum> operator[](const char* column) const {
    bool null = false;
    const AttrNumber number = get_attnum(RelationGetRelid(table_), column);
    if (number == InvalidAttrNumber) return std::nullopt;
    const Datum found = heap_getattr(row_, number, RelationGetDescr(table_), &null);
    return null ? std::nullopt : std::optional(found);
  }

 private:
  Relation table_;
  HeapTuple row_;
};

/// Calls `visit` with the rows whose first column of the index is the key, until it says true.
template <typename Visit>
void visit_rows(const catalog& one, ScanKeyData* key, Visit&& visit) {
  const Oid found = oid_of(one);
  if (!OidIsValid(found)) return;
  const Relation table = table_open(found, AccessShareLock);
  const Oid index =
      one.index == nullptr ? InvalidOid : get_relname_relid(one.index, PG_CATALOG_NAMESPACE);
  const SysScanDesc scan =
      systable_beginscan(table, index, OidIsValid(index), nullptr, key == nullptr ? 0 : 1, key);
  for (HeapTuple row = systable_getnext(scan); HeapTupleIsValid(row);
       row = systable_getnext(scan)) {
    if (visit(catalog_row(table, row))) break;
  }
  systable_endscan(scan);
  table_close(table, AccessShareLock);
}

ScanKeyData key_of(const catalog& one, const char* column, RegProcedure equal, Datum value) {
  ScanKeyData key;
  ScanKeyInit(&key, get_attnum(oid_of(one), column), BTEqualStrategyNumber, equal, value);
  return key;
}

/// How a table is spread: 'h' by a hash of a column, 'n' not cut up; nothing when it is not.
std::optional<char> method_of(Oid table) {
  if (!OidIsValid(oid_of(spread_tables))) return std::nullopt;
  std::optional<char> method;
  ScanKeyData key = key_of(spread_tables, "logicalrelid", F_OIDEQ, ObjectIdGetDatum(table));
  visit_rows(spread_tables, &key, [&method](const catalog_row& row) {
    const auto found = row["partmethod"];
    method = found ? DatumGetChar(*found) : 'n';
    return true;
  });
  return method;
}

std::optional<std::int32_t> bound(const catalog_row& row, const char* column) {
  const auto found = row[column];
  if (!found) return std::nullopt;
  return pg_strtoint32(TextDatumGetCString(*found));
}

/// The shard of a tenant, or the only one.
std::optional<std::int64_t> shard_of(Oid table, const vrm::uuid* tenant) {
  const std::int32_t hash =
      tenant == nullptr
          ? 0
          : DatumGetInt32(DirectFunctionCall1(uuid_hash, PointerGetDatum(tenant->bytes.data())));
  std::optional<std::int64_t> shard;
  ScanKeyData key = key_of(shards, "logicalrelid", F_OIDEQ, ObjectIdGetDatum(table));
  visit_rows(shards, &key, [&](const catalog_row& row) {
    const auto low = bound(row, "shardminvalue");
    const auto high = bound(row, "shardmaxvalue");
    const bool is_whole = !low || !high;
    if (!is_whole && (tenant == nullptr || hash < *low || hash > *high)) return false;
    const auto id = row["shardid"];
    if (id) shard = DatumGetInt64(*id);
    return true;
  });
  return shard;
}

bool is_on_this_node(std::int64_t shard) {
  std::optional<std::int32_t> group;
  visit_rows(this_node, nullptr, [&group](const catalog_row& row) {
    const auto id = row["groupid"];
    if (id) group = DatumGetInt32(*id);
    return true;
  });
  bool is_here = false;
  ScanKeyData key = key_of(shard_places, "shardid", F_INT8EQ, Int64GetDatum(shard));
  visit_rows(shard_places, &key, [&](const catalog_row& row) {
    const auto id = row["groupid"];
    is_here = id && group && DatumGetInt32(*id) == *group;
    return is_here;
  });
  return is_here;
}

[[noreturn]] void refuse(Oid table, const char* detail) {
  const char* const schema = get_namespace_name(get_rel_namespace(table));
  const char* const name = quote_qualified_identifier(schema, get_rel_name(table));
  ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
          errmsg("rows of relation \"%s\" are on other nodes", get_rel_name(table)),
          errdetail("%s", detail),
          errhint("Where they are: SELECT * FROM citus_shards WHERE table_name = '%s'::regclass;",
                  name));
}

}  // namespace

bool is_spread(Oid table) { return method_of(table).has_value(); }

Oid placement_of(Oid table, const vrm::uuid* tenant) {
  const auto method = method_of(table);
  if (!method) return table;
  if (*method == 'h' && tenant == nullptr) refuse(table, "Each tenant's are in a shard of theirs.");
  const auto shard = shard_of(table, tenant);
  if (!shard || !is_on_this_node(*shard)) refuse(table, "This node has not got the shard.");
  // As Citus names shards, and their indexes.  It would cut names of 63 bytes off: none of those
  // that are asked for is as long.
  const Oid found = get_relname_relid(psprintf("%s_" INT64_FORMAT, get_rel_name(table), *shard),
                                      get_rel_namespace(table));
  if (!OidIsValid(found)) refuse(table, "The shard is missing here.");
  return found;
}

Oid index_on(Oid placement, const char* name) {
  const Oid schema = get_rel_namespace(placement);
  Oid found = get_relname_relid(name, schema);
  if (OidIsValid(found) && IndexGetRelation(found, true) == placement) return found;
  // the number at the end of a shard's name is at the end of its indexes' names, too
  const char* const number = std::strrchr(get_rel_name(placement), '_');
  if (number == nullptr) return InvalidOid;
  found = get_relname_relid(psprintf("%s%s", name, number), schema);
  return OidIsValid(found) && IndexGetRelation(found, true) == placement ? found : InvalidOid;
}

void refuse_spread(Oid table) {
  if (is_spread(table)) refuse(table, "What reads and writes them here knows one table only.");
}

}  // namespace pg
