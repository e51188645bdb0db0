#pragma once

/// Who may call a function, whatever everybody was granted.

#include <algorithm>
#include <array>
#include <span>
#include <string>

#include "boundary/call/function.h"
#include "core/platform/error.h"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/regproc.h"
#include "utils/syscache.h"
}

namespace pg {

namespace detail {

/// A role of the crowd that does not exist is InvalidOid, which is PUBLIC, so it changes nothing.
inline bool is_of(std::span<const Oid> crowd, Oid role) noexcept {
  return role == ACL_ID_PUBLIC || std::ranges::find(crowd, role) != crowd.end();
}

/// Calls `visit` with each role that may execute the routine of this row; may raise an ERROR.
template <typename Visit>
bool any_grantee(HeapTuple routine, Visit&& visit) {
  bool is_default = false;
  // A null ACL stands for the default: everything to the owner, EXECUTE to PUBLIC.
  const Datum list = SysCacheGetAttr(PROCOID, routine, Anum_pg_proc_proacl, &is_default);
  const Oid owner = reinterpret_cast<Form_pg_proc>(GETSTRUCT(routine))->proowner;
  const Acl* const acl = is_default ? acldefault(OBJECT_FUNCTION, owner) : DatumGetAclP(list);
  const std::span items(ACL_DAT(acl), static_cast<std::size_t>(ACL_NUM(acl)));
  return std::ranges::any_of(items, [&visit](const AclItem& item) {
    return (ACLITEM_GET_PRIVS(item) & ACL_EXECUTE) != 0 && visit(item.ai_grantee);
  });
}

/// A reference to the row, for the caller to release; an ERROR 42883 when the routine is gone.
inline HeapTuple routine_row(Oid routine) {
  const HeapTuple row = SearchSysCache1(PROCOID, ObjectIdGetDatum(routine));
  if (!HeapTupleIsValid(row)) {
    ereport(ERROR, errcode(ERRCODE_UNDEFINED_FUNCTION),
            errmsg("routine with OID %u does not exist", routine),
            errhint("Routines are: SELECT oid::regprocedure FROM pg_proc;"));
  }
  return row;
}

}  // namespace detail

/// Whether whoever calls `routine` may do so by more than what PUBLIC and the roles of `crowd` were
/// granted: as its owner, or by EXECUTE of another role, on it or on `through`, which calls it.
/// Asked only where the crowd has it at all; elsewhere PostgreSQL has asked already.
inline bool is_granted_beyond(Oid routine, Oid through, std::span<const char* const> crowd) {
  return guarded([&] {
    // Room for the crowd, whom callers name in their source.
    std::array<Oid, 4> roles{};
    std::size_t count = 0;
    for (const char* const name : crowd) roles[count++] = get_role_oid(name, true);
    const auto known = std::span<const Oid>(roles).first(count);

    const HeapTuple row = detail::routine_row(routine);
    const auto* const form = reinterpret_cast<Form_pg_proc>(GETSTRUCT(row));
    // A definer function runs as its owner already: who called it is whoever the session acts as.
    const Oid caller = form->prosecdef ? GetOuterUserId() : GetUserId();
    const auto by_name = [&](Oid role) {
      return !detail::is_of(known, role) && has_privs_of_role(caller, role);
    };
    // Not granted to the crowd: then PostgreSQL has refused whoever has no grant of their own.
    bool may = has_privs_of_role(caller, form->proowner) ||
               !detail::any_grantee(row, [&](Oid role) { return detail::is_of(known, role); }) ||
               detail::any_grantee(row, by_name);
    ReleaseSysCache(row);
    if (!may && OidIsValid(through)) {
      const HeapTuple outer = detail::routine_row(through);
      may = detail::any_grantee(outer, by_name);
      ReleaseSysCache(outer);
    }
    return may;
  });
}

/// An argument of type regprocedure.
struct routine_id {
  Oid oid;
};

template <>
struct datum_traits<routine_id> {
  static constexpr Oid oid = REGPROCEDUREOID;
  static routine_id from(Datum datum) noexcept { return {DatumGetObjectId(datum)}; }
};

/// As SQL spells the routine, with the types of its arguments.
inline std::string routine_name(Oid routine) {
  return guarded([=] { return static_cast<const char*>(format_procedure_qualified(routine)); });
}

}  // namespace pg
