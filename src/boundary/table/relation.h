#pragma once

#include <string>

#include "boundary/error/guard.h"
#include "boundary/value/datum.h"

extern "C" {
#include "access/table.h"
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

/// A table, open and locked against changes of its structure for a scope.
/// As SELECT would lock it; its end lets go of the lock, so what was read may be outdated then.
class relation_scope {
 public:
  explicit relation_scope(relation_id id)
      : relation_(guarded([&] { return table_open(id.oid, AccessShareLock); })) {}
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
