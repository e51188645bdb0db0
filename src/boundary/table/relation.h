#pragma once

#include <string>

#include "boundary/error/guard.h"
#include "boundary/table/placement.h"
#include "boundary/value/datum.h"

extern "C" {
#include "access/table.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace pg {

/// A value of type regclass.
struct relation_id {
  Oid oid;
};

template <>
struct datum_traits<relation_id> {
  static constexpr Oid oid = REGCLASSOID;
  static relation_id from(Datum datum) noexcept { return {DatumGetObjectId(datum)}; }
  static Datum to(relation_id value) noexcept { return ObjectIdGetDatum(value.oid); }
};

/// An argument of type name.
struct name_view {
  const char* text;
};

template <>
struct datum_traits<name_view> {
  static constexpr Oid oid = NAMEOID;
  static name_view from(Datum datum) noexcept { return {NameStr(*DatumGetName(datum))}; }
};

/// Opens a table by an OID of whoever calls; an ERROR 42P01 where nothing has it, which is no fault
/// of the code as an OID that the code itself found would be.  Runs inside a guard.
[[nodiscard]] inline Relation open_table(relation_id table, LOCKMODE lock) {
  const Relation relation = try_table_open(table.oid, lock);
  if (relation == nullptr) {
    ereport(ERROR, errcode(ERRCODE_UNDEFINED_TABLE),
            errmsg("relation with OID %u does not exist", table.oid),
            errhint("Tables are: SELECT oid::regclass FROM pg_class;"));
  }
  return relation;
}

/// Whether it is a heap that stands alone: partitions and children would need tuple routing and
/// translated columns, rules would rewrite the statement, generated columns are computed by the
/// executor, other access methods have rules of their own, and Citus routes statements alone.
[[nodiscard]] inline bool stands_alone(Relation table) {
  const FormData_pg_class& form = *table->rd_rel;
  const TupleConstr* const rules = RelationGetDescr(table)->constr;
  bool computes = rules != nullptr && rules->has_generated_stored;
#if PG_VERSION_NUM >= 180000
  computes = computes || (rules != nullptr && rules->has_generated_virtual);
#endif
  return form.relkind == RELKIND_RELATION && form.relam == HEAP_TABLE_AM_OID &&
         !form.relispartition && !form.relhassubclass && !form.relhasrules && !computes &&
         !is_spread(RelationGetRelid(table));
}

/// A table, open and locked against changes of its structure for a scope.
/// As SELECT would lock it; its end lets go of the lock, so what was read may be outdated then.
class relation_scope {
 public:
  explicit relation_scope(relation_id id)
      : relation_(guarded([&] { return open_table(id, AccessShareLock); })) {}
  ~relation_scope() { table_close(relation_, AccessShareLock); }
  relation_scope(const relation_scope&) = delete;
  relation_scope& operator=(const relation_scope&) = delete;

  [[nodiscard]] Relation get() const noexcept { return relation_; }

  /// With its schema, quoted where it has to be.
  [[nodiscard]] std::string quoted_name() const {
    return guarded([&] {
      return quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation_)),
                                        RelationGetRelationName(relation_));
    });
  }

 private:
  Relation relation_;
};

}  // namespace pg
