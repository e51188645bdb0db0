#pragma once

#include "boundary/backend.h"
#include "boundary/error/guard.h"
#include "boundary/table/known_table.h"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "utils/syscache.h"
}

namespace pg {

/// Acts as the owner of a table for a scope, as a SECURITY DEFINER function would.
class owner_scope {
 public:
  /// An ERROR 42P01, with the table's remedy as HINT, when it is missing.
  explicit owner_scope(const known_table& table) {
    GetUserIdAndSecContext(&outer_user_, &outer_context_);
    const Oid owner = guarded([&] {
      const Oid relation = oid_of(table);
      const HeapTuple row = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
      if (!HeapTupleIsValid(row)) elog(ERROR, "cache lookup failed for relation %u", relation);
      const Oid found = reinterpret_cast<Form_pg_class>(GETSTRUCT(row))->relowner;
      ReleaseSysCache(row);
      return found;
    });
    // LOCAL_USERID_CHANGE refuses SET ROLE and SET SESSION AUTHORIZATION to code that runs inside.
    SetUserIdAndSecContext(owner, outer_context_ | SECURITY_LOCAL_USERID_CHANGE);
  }
  explicit owner_scope(Oid owner) noexcept {
    GetUserIdAndSecContext(&outer_user_, &outer_context_);
    SetUserIdAndSecContext(owner, outer_context_ | SECURITY_LOCAL_USERID_CHANGE);
  }
  ~owner_scope() { SetUserIdAndSecContext(outer_user_, outer_context_); }
  owner_scope(const owner_scope&) = delete;
  owner_scope& operator=(const owner_scope&) = delete;

 private:
  Oid outer_user_ = InvalidOid;
  int outer_context_ = 0;
};

}  // namespace pg
